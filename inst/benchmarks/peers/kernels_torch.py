"""One convolution on one core by PyTorch (oneDNN). Reads lines `taps channels dilation rows`; answers: forward seconds, seconds of
the gradient of the input; each the better of its two layouts."""
import sys
import time

import torch

torch.set_num_threads(1)


def shortest(run):
    best, begin, calls = float("inf"), time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begin < 0.06:
        start = time.perf_counter()
        run()
        best, calls = min(best, time.perf_counter() - start), calls + 1
    return best


def answer(taps, channels, dilation, rows, layout):
    weight = torch.rand(channels, channels, 1, taps).to(memory_format=layout)
    bias = torch.rand(channels)
    x = torch.rand(1, channels, 1, rows + (taps - 1) * dilation).to(memory_format=layout)
    y = torch.rand(1, channels, 1, rows).to(memory_format=layout)

    def backward():
        return torch.ops.aten.convolution_backward(y, x, weight, None, [1, 1], [0, 0], [1, dilation], False, [0, 0], 1, [True, False, False])

    with torch.no_grad():
        return (shortest(lambda: torch.nn.functional.conv2d(x, weight, bias, dilation=(1, dilation))), shortest(backward))


for line in sys.stdin:
    case = [int(word) for word in line.split()]
    times = [answer(*case, layout) for layout in (torch.contiguous_format, torch.channels_last)]
    print(min(time[0] for time in times), min(time[1] for time in times), flush=True)
