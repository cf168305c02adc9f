# inst/benchmarks/kernels.R: a convolution on one core by taps, channels and dilation: direct, the planner's choice, PyTorch.
# Times are milliseconds of 1e5 rows, forward plus gradient of the input; gflops count the direct convolution's operations.
library(nucleograd)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
for (file in c("report.R", "peers/peer.R")) source(file.path(here, file))
options(width = 200)

# The core's sources and kernels.c as one program.
program <- tempfile("kernels")
source_folder <- file.path(here, "..", "..", "src")
compiler <- strsplit(system2(file.path(R.home("bin"), "R"), c("CMD", "config", "CC"), stdout = TRUE), " ")[[1]]
core <- list.files(file.path(source_folder, "core"), "[.]c$", recursive = TRUE, full.names = TRUE)
stopifnot(system2(compiler[1], c(compiler[-1], "-O2", "-fopenmp", paste0("-I", source_folder), "-o", program, file.path(here, "kernels.c"), core, "-lm")) == 0)

cases <- rbind(expand.grid(taps = c(3, 4, 5, 8, 12, 24), channels = c(16, 32, 64, 128, 256, 512, 1024), dilation = 1),
               expand.grid(taps = c(3, 8), channels = c(32, 128), dilation = c(2, 8, 64)))
cases$rows <- pmax(256, pmin(16384, 262144 / cases$channels))     # tiles of 2 MB, as in a run
lines <- with(cases, paste(taps, channels, dilation, format(rows, scientific = FALSE, trim = TRUE)))
ours <- utils::read.table(text = system2(program, input = lines, stdout = TRUE),
                          col.names = c("direct_forward", "direct_back", "forward", "back", "other_kernel", "direct_error", "error"))
python <- peer_python()
torch <- data.frame(forward = rep(NA_real_, nrow(cases)), back = NA_real_)
if (!is.null(python)) {
    peer <- start_peer(python, "kernels_torch.py")
    torch[] <- do.call(rbind, lapply(lines, ask_peer, peer = peer))
    stop_peer(peer)
}

of_1e5_rows <- function(seconds) 1e3 * seconds * 1e5 / cases$rows
direct <- ours$direct_forward + ours$direct_back
chosen <- ours$forward + ours$back
gflops <- with(cases, 4 * rows * taps * channels^2) / direct / 1e9
print(data.frame(cases[1:3], direct_ms = of_1e5_rows(direct), chosen_ms = of_1e5_rows(chosen), torch_ms = of_1e5_rows(torch$forward + torch$back),
                 kernel = ifelse(ours$other_kernel == 1, "frequency", "direct"), direct_gflops = gflops, direct_peak_percent = 100 * gflops / fma_peak()[["core"]],
                 times_direct = direct / chosen, times_torch = (torch$forward + torch$back) / chosen, direct_error = ours$direct_error, error = ours$error),
      row.names = FALSE, digits = 3)
figure("kernels_least_times_direct", min(direct / chosen), "times")
figure("kernels_middle_direct_peak_percent", stats::median((100 * gflops / fma_peak()[["core"]])[cases$taps >= 8 & cases$channels %in% c(32, 64, 128)]), "%")
figure("kernels_median_times_torch", stats::median((torch$forward + torch$back) / chosen), "times")
figure("kernels_least_times_torch", min((torch$forward + torch$back) / chosen), "times")
figure("kernels_largest_error", max(ours$error, ours$direct_error), "of the largest value")
if (max(ours$error, ours$direct_error) > 2e-6) stop("a kernel's error is above 2e-6")
