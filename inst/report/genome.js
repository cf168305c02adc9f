// The zoomable genome of a report: scores in bins above, genes as arrows below. Reads #genome-data, draws into #genome.
(function () {
    const data = JSON.parse(document.getElementById("genome-data").textContent);
    const root = document.getElementById("genome");
    root.innerHTML = '<div class="bar"><select></select><button title="closer">+</button><button title="further away">&minus;</button>' +
        '<button>whole contig</button><span class="place"></span></div><canvas></canvas><div class="tip"></div>';
    const canvas = root.querySelector("canvas"), pen = canvas.getContext("2d"), tip = root.querySelector(".tip");
    const choice = root.querySelector("select"), buttons = root.querySelectorAll("button");
    data.contigs.forEach(c => choice.add(new Option(c.name)));
    if (data.contigs.length === 1) choice.style.display = "none";
    let contig = data.contigs[0], from = 0, to = contig.length, marked = null;      // 0-based, half-open, in bp
    const left = 58, right = 8, top = 8, axis = 28, track = 62, height = 340;
    const width = () => canvas.clientWidth;
    const x = bp => left + (bp - from) / (to - from) * (width() - left - right);
    const bp = px => from + (px - left) / (width() - left - right) * (to - from);
    const words = n => Math.round(n).toLocaleString("en");

    function look(first, last) {
        const least = Math.min(contig.length, Math.max(200, contig.bin * 8));
        let size = Math.min(Math.max(last - first, least), contig.length);
        from = Math.min(Math.max((first + last - size) / 2, 0), contig.length - size);
        to = from + size;
        draw();
    }
    function zoom(factor, at) { look(at - (at - from) * factor, at + (to - at) * factor); }
    function nice(span, parts) {
        const unit = Math.pow(10, Math.floor(Math.log10(span / parts)));
        return [1, 2, 5, 10].map(k => k * unit).find(step => span / step <= parts);
    }

    // For each pixel the bins below it: mean of means, lowest low, highest high.
    function columns() {
        const found = [];
        for (let px = left; px < width() - right; px++) {
            const a = Math.max(0, Math.floor(bp(px) / contig.bin)), b = Math.min(contig.mean.length, Math.max(a + 1, Math.ceil(bp(px + 1) / contig.bin)));
            let sum = 0, n = 0, low = Infinity, high = -Infinity;
            for (let k = a; k < b; k++) if (contig.mean[k] !== null) {
                sum += contig.mean[k]; n++;
                low = Math.min(low, contig.low[k]); high = Math.max(high, contig.high[k]);
            }
            if (n) found.push({px, mean: sum / n, low, high});
        }
        return found;
    }

    function draw() {
        const scale = Math.max(2, window.devicePixelRatio || 1);
        canvas.width = width() * scale;
        canvas.height = height * scale;
        pen.setTransform(scale, 0, 0, scale, 0, 0);
        pen.clearRect(0, 0, width(), height);
        pen.font = "12px sans-serif";
        const shown = columns(), bottom = height - axis - track;
        let low = Math.min(0, ...shown.map(c => c.low)), high = Math.max(0, ...shown.map(c => c.high));
        if (low === high) high = low + 1;
        const y = v => top + (high - v) / (high - low) * (bottom - top);
        const step = nice(high - low, 5), digits = Math.max(0, -Math.floor(Math.log10(step)));
        pen.textAlign = "right"; pen.textBaseline = "middle";
        for (let v = Math.ceil(low / step) * step; v <= high + step / 1e6; v += step) {
            pen.fillStyle = "#eceef0"; pen.fillRect(left, y(v), width() - left - right, 1);
            pen.fillStyle = "#667"; pen.fillText(v.toFixed(digits), left - 6, y(v));
        }
        if (marked && marked.contig === contig) {
            pen.fillStyle = "#e69f0033";
            pen.fillRect(x(marked.start - 1), top, Math.max(2, x(marked.end) - x(marked.start - 1)), height - axis - top);
        }
        pen.fillStyle = "#c9ced4";
        shown.forEach(c => pen.fillRect(c.px, y(c.high), 1, Math.max(1, y(c.low) - y(c.high))));
        pen.strokeStyle = "#0072b2"; pen.lineWidth = 1.3; pen.beginPath();
        shown.forEach((c, k) => k && shown[k - 1].px === c.px - 1 ? pen.lineTo(c.px + 0.5, y(c.mean)) : pen.moveTo(c.px + 0.5, y(c.mean)));
        pen.stroke();
        pen.fillStyle = "#99a"; pen.fillRect(left, y(0), width() - left - right, 1);
        genes(bottom);
        const bases = nice(to - from, 8);
        pen.fillStyle = "#667"; pen.textAlign = "center"; pen.textBaseline = "top";
        for (let p = Math.ceil(from / bases) * bases; p <= to; p += bases) {
            pen.fillRect(x(p), height - axis, 1, 5);
            pen.fillText(to - from > 2e5 ? (p / 1e6).toFixed(2) + " Mb" : to - from > 2e3 ? (p / 1e3).toFixed(bases < 1e3 ? 1 : 0) + " kb" : words(p), x(p), height - axis + 8);
        }
        pen.save(); pen.translate(12, (top + bottom) / 2); pen.rotate(-Math.PI / 2); pen.textBaseline = "middle";
        pen.fillText("Score of a base (" + data.unit + ")", 0, 0); pen.restore();
        root.querySelector(".place").textContent = contig.name + ": " + words(from + 1) + " to " + words(to) + " of " + words(contig.length) + " bp";
    }

    function genes(bottom) {
        pen.textBaseline = "middle"; pen.textAlign = "center";
        (contig.genes || []).forEach(g => {
            if (g.end < from || g.start > to) return;
            const a = Math.max(x(g.start - 1), left), b = Math.min(Math.max(x(g.end), a + 1), width() - right);
            const row = bottom + (g.strand === "-" ? 36 : 12), tall = 16, tip = Math.min(6, (b - a) / 2);
            g.box = [a, row, b, row + tall];
            pen.fillStyle = marked === g ? "#e69f00" : g.strand === "-" ? "#8795a5" : "#66717e";
            pen.beginPath();
            if (g.strand === "-") { pen.moveTo(a, row + tall / 2); pen.lineTo(a + tip, row); pen.lineTo(b, row); pen.lineTo(b, row + tall); pen.lineTo(a + tip, row + tall); }
            else { pen.moveTo(b, row + tall / 2); pen.lineTo(b - tip, row); pen.lineTo(a, row); pen.lineTo(a, row + tall); pen.lineTo(b - tip, row + tall); }
            pen.fill();
            if (pen.measureText(g.name).width < b - a - 10) { pen.fillStyle = "#fff"; pen.fillText(g.name, (a + b) / 2, row + tall / 2 + 1); }
        });
    }
    function show(name, start, end) {
        contig = data.contigs.find(c => c.name === name) || contig;
        choice.value = contig.name;
        marked = (contig.genes || []).find(g => g.start === start && g.end === end) || {start, end};
        marked.contig = contig;
        look(start - 3 * (end - start) - 500, end + 3 * (end - start) + 500);
    }

    canvas.addEventListener("wheel", e => { e.preventDefault(); zoom(e.deltaY < 0 ? 0.8 : 1.25, bp(e.offsetX)); }, {passive: false});
    canvas.addEventListener("dblclick", () => look(0, contig.length));
    let drag = null;
    canvas.addEventListener("pointerdown", e => { drag = {px: e.offsetX, from, to}; canvas.setPointerCapture(e.pointerId); });
    canvas.addEventListener("pointerup", () => { drag = null; });
    canvas.addEventListener("pointermove", e => {
        if (drag) {
            const move = (drag.px - e.offsetX) / (width() - left - right) * (drag.to - drag.from);
            const size = drag.to - drag.from, first = Math.min(Math.max(drag.from + move, 0), contig.length - size);
            look(first, first + size);
        }
        const g = (contig.genes || []).find(g => g.box && g.end >= from && g.start <= to && e.offsetX >= g.box[0] && e.offsetX <= g.box[2] && e.offsetY >= g.box[1] && e.offsetY <= g.box[3]);
        tip.style.display = g && !drag ? "block" : "none";
        if (g) {
            tip.textContent = g.name + " (" + words(g.start) + " to " + words(g.end) + ", " + g.strand + ") " + g.words;
            tip.style.left = Math.min(e.offsetX + 12, width() - 260) + "px";
            tip.style.top = (canvas.offsetTop + e.offsetY + 14) + "px";
        }
    });
    canvas.addEventListener("pointerleave", () => { tip.style.display = "none"; });
    buttons[0].onclick = () => zoom(0.5, (from + to) / 2);
    buttons[1].onclick = () => zoom(2, (from + to) / 2);
    buttons[2].onclick = () => look(0, contig.length);
    choice.onchange = () => { contig = data.contigs[choice.selectedIndex]; marked = null; look(0, contig.length); };
    window.addEventListener("resize", draw);
    window.addEventListener("beforeprint", draw);

    // A click on a row of a table with contig, start and end shows the place.
    document.addEventListener("click", e => {
        const row = e.target.closest && e.target.closest(".datatables tbody tr");
        if (!row) return;
        const heads = [...row.closest(".datatables").querySelectorAll(".dataTables_scrollHead th, table thead th")].map(h => h.textContent.trim());
        const cell = (...names) => { const k = heads.findIndex(h => names.includes(h)); return k < 0 || !row.cells[k] ? null : row.cells[k].textContent; };
        const name = cell("contig", "seqnames"), start = Number(cell("start")), end = Number(cell("end"));
        if (!name || !start) return;
        show(name, start, end);
        root.scrollIntoView({behavior: "smooth", block: "center"});
    });
    draw();
})();
