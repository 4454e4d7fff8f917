// Distributions with a logarithmic axis of time, and how long each fault took to heal.
(() => {
  const BINS = 60;

  // Counts in bins of equal width on the logarithmic axis; a bucket is [lower, upper, number].
  function binned(buckets, low, high) {
    const bins = new Array(BINS).fill(0), wide = (high - low) / BINS;
    for (const [lower, upper, number] of buckets) {
      const where = Math.log10(Math.max(1, (lower + upper) / 2));
      bins[Math.max(0, Math.min(BINS - 1, Math.floor((where - low) / wide)))] += number;
    }
    return bins;
  }

  function distribution({name, lanes}) {
    const place = html("figure", {style: "margin: 0"});
    const buckets = lanes.flat();
    const low = Math.floor(Math.log10(Math.max(1, Math.min(...buckets.map(bucket => bucket[0])))));
    const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(1, ...buckets.map(bucket => bucket[1])))));
    const series = lanes.map(lane => binned(lane, low, high)), most = Math.max(1, ...series.flat());
    const total = lane => lane.reduce((sum, bucket) => sum + bucket[2], 0);
    const HEIGHT = 150, BASE = 122, LEFT = 6;
    document.getElementById("distributions").append(place);
    keepDrawn(place, width => {
      const x = bin => LEFT + bin / BINS * (width - 2 * LEFT);
      const sheet = svg("svg", {width, height: HEIGHT, role: "img", "aria-label": `Distribution of ${name}; the table below has its figures`});
      for (let power = low; power <= high; power++) {
        const where = LEFT + (power - low) / (high - low) * (width - 2 * LEFT);
        const anchor = power === low ? "start" : power === high ? "end" : "middle";
        sheet.append(line(where, 22, where, BASE, {class: "grid-line"}), text(where, BASE + 16, time(10 ** power, 10 ** power), {"text-anchor": anchor, class: "faint"}));
      }
      series.forEach((bins, lane) => {
        let path = `M${x(0)} ${BASE}`;
        bins.forEach((number, bin) => { path += `V${BASE - 96 * number / most}H${x(bin + 1)}`; });
        const told = title(`${DATA.lanes[lane]}: ${total(lanes[lane]).toLocaleString("en")}, at most ${most.toLocaleString("en")} in a bin`);
        sheet.append(lane === 0 ? svg("path", {d: `${path}V${BASE}Z`, class: "a fill", "fill-opacity": .55}, told)
          : svg("path", {d: `${path}V${BASE}`, class: "b stroke", "stroke-width": 1.6}, told));
      });
      sheet.append(line(LEFT, BASE, width - LEFT, BASE, {class: "axis"}), text(LEFT, 13, name, {"font-weight": 600}));
      place.replaceChildren(sheet);
    });
  }
  DATA.distributions.filter(one => one.lanes.flat().length).forEach(distribution);

  const place = document.getElementById("convergence-drawing");
  if (!place) return;
  const ROW = 18, healed = DATA.convergence.filter(fault => fault[1] !== null);
  if (!healed.length) { place.remove(); return; }
  const low = Math.floor(Math.log10(Math.max(1, Math.min(...healed.map(fault => fault[1])))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(1, ...healed.map(fault => fault[1])))));
  keepDrawn(place, width => {
    const LEFT = Math.min(190, width / 3), wide = width - LEFT - 70, bottom = healed.length * ROW + 4;
    const x = value => LEFT + (Math.log10(Math.max(1, value)) - low) / (high - low) * wide;
    const sheet = svg("svg", {width, height: bottom + 22, role: "img", "aria-label": "Time from the end of each fault until everything in flight was resolved; the table below has the figures"});
    for (let power = low; power <= high; power++)
      sheet.append(line(x(10 ** power), 0, x(10 ** power), bottom, {class: "grid-line"}), text(x(10 ** power), bottom + 15, time(10 ** power, 10 ** power), {"text-anchor": "middle", class: "faint"}));
    healed.forEach(([name, nanoseconds], index) => {
      const y = index * ROW;
      sheet.append(text(LEFT - 8, y + 14, name, {"text-anchor": "end"}), svg("rect", {x: LEFT, y: y + 4, width: Math.max(2, x(nanoseconds) - LEFT), height: ROW - 6, class: "open fill"}, title(`${name}: ${time(nanoseconds)}`)),
        text(x(nanoseconds) + 5, y + 14, time(nanoseconds), {class: "faint"}));
    });
    place.replaceChildren(sheet);
  });
})();
