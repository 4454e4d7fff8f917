// Faults above, the link states of both ends, traffic and balance below, on one axis of time.
const TIMELINE = (() => {
  const place = document.getElementById("timeline-drawing");
  const LEFT = 92, RIGHT = 12, TOP = 8;
  const whole = [0, Math.max(DATA.span, 1)];
  let view = [...whole], width = 0, selected = null, dragged = null;

  const x = at => LEFT + (at - view[0]) / (view[1] - view[0]) * (width - LEFT - RIGHT);
  const at = place => view[0] + (place - LEFT) / (width - LEFT - RIGHT) * (view[1] - view[0]);
  const clip = where => Math.max(LEFT, Math.min(width - RIGHT, where));
  const TONES = {DOWN: "rest", SYNCING: "open", UP: "good", FAULT: "bad"};

  function show(from, to) {
    const least = Math.min(16, whole[1]);
    const size = Math.max(least, Math.min(whole[1], to - from));
    const start = Math.max(0, Math.min(whole[1] - size, from));
    view = [start, start + size];
    draw();
  }
  const zoom = factor => {
    const middle = (view[0] + view[1]) / 2, half = (view[1] - view[0]) / 2 * factor;
    show(middle - half, middle + half);
  };
  const move = part => show(view[0] + part * (view[1] - view[0]), view[1] + part * (view[1] - view[0]));

  // Faults of one kind and place share a row; those that lasted are bars.
  function faults(sheet, y) {
    const rows = [...new Set(DATA.faults.map(fault => fault[2]))];
    for (const row of rows) {
      sheet.append(text(LEFT - 8, y + 11, row, {"text-anchor": "end"}));
      let taken = -1;
      for (const [begin, end, where, number] of DATA.faults) {
        if (where !== row || (end ?? begin) < view[0] || begin > view[1]) continue;
        const told = `${DATA.fault_texts[number]}, ${time(begin * DATA.unit, DATA.unit)}` + (end === null ? "" : ` to ${time(end * DATA.unit, DATA.unit)}`);
        const from = clip(x(begin));
        if (end === null || x(end) - x(begin) < 5) {
          if (Math.round(from) === taken) continue;
          taken = Math.round(from);
          const mark = row.startsWith("frames") ? `M${from} ${y + 2}v10h1v-10z` : `M${from - 4} ${y + 1}h8l-4 12z`;
          sheet.append(svg("path", {d: mark, class: "bad fill"}, title(told)));
        } else {
          const wide = clip(x(end)) - from;
          sheet.append(svg("rect", {x: from, y: y + 2, width: wide, height: 10, class: "bad fill"}, title(told)));
        }
      }
      y += 17;
    }
    return y;
  }

  function links(sheet, y) {
    DATA.links.forEach((changes, end) => {
      sheet.append(text(LEFT - 8, y + 14, `link ${DATA.ends[end]}`, {"text-anchor": "end"}));
      const times = changes.filter((_, index) => index % 2 === 0);
      let drawn = -1;
      for (let index = Math.max(0, lastNotAbove(times, view[0])); index < times.length && times[index] <= view[1]; index++) {
        const name = DATA.link_states[changes[2 * index + 1]];
        const until = index + 1 < times.length ? times[index + 1] : whole[1];
        const from = clip(x(times[index])), to = clip(x(until));
        if (to - drawn < .5 && index + 1 < times.length) continue;
        drawn = to;
        const told = `${DATA.ends[end]} ${name}, ${time(times[index] * DATA.unit, DATA.unit)} to ${time(until * DATA.unit, DATA.unit)}`;
        const high = name === "UP" ? 20 : name === "DOWN" ? 4 : 12;
        sheet.append(svg("rect", {x: from, y: y + 20 - high, width: Math.max(1, to - from), height: high, class: `${TONES[name]} fill`}, title(told)));
        if (to - from > 8 * name.length + 8 && high > 8)
          sheet.append(text(from + 5, y + 20 - high / 2 + 4, name, {class: "on-fill", "pointer-events": "none"}));
      }
      y += 26;
    });
    return y + 4;
  }

  // A number for each interval and end; that of a goes up, that of b down.
  function mirrored(sheet, y, name, numbers) {
    const half = 30, middle = y + half, first = Math.max(0, lastNotAbove(DATA.starts, view[0]));
    const last = lastNotAbove(DATA.starts, view[1]) + 1;
    const most = Math.max(1, ...numbers.flatMap(series => series.slice(first, last)));
    sheet.append(text(LEFT - 8, middle - 4, name, {"text-anchor": "end"}));
    sheet.append(text(LEFT - 8, middle + 12, `to ${most.toLocaleString("en")}`, {"text-anchor": "end", class: "faint"}));
    numbers.forEach((series, end) => {
      const sign = end === 0 ? -1 : 1;
      let path = `M${LEFT} ${middle}`;
      for (let index = first; index < last; index++) {
        const from = clip(x(DATA.starts[index])), to = clip(x(DATA.starts[index] + DATA.interval));
        path += `H${from.toFixed(1)}V${(middle + sign * half * series[index] / most).toFixed(1)}H${to.toFixed(1)}V${middle}`;
      }
      sheet.append(svg("path", {d: `${path}Z`, class: `${"ab"[end]} fill`},
        title(`${name} of ${DATA.ends[end]}: at most ${most} in ${time(DATA.interval * DATA.unit)}`)));
    });
    sheet.append(line(LEFT, middle, width - RIGHT, middle, {class: "axis"}));
    return y + 2 * half + 8;
  }

  // The part of each pixel's time in which the balance was not at rest.
  function balance(sheet, y) {
    const high = 16;
    for (const {name, end, changes} of DATA.balance) {
      sheet.append(text(LEFT - 8, y + 13, name, {"text-anchor": "end"}));
      const pixels = Math.max(1, Math.floor(width - LEFT - RIGHT)), each = (view[1] - view[0]) / pixels;
      let path = `M${LEFT} ${y + high}`, next = lastNotAbove(changes, view[0]) + 1;
      for (let pixel = 0; pixel < pixels; pixel++) {
        const begin = view[0] + pixel * each, end = begin + each;
        let now = begin, out = 0;
        while (next < changes.length && changes[next] < end) {
          if (next % 2 === 1) out += changes[next] - now;
          now = changes[next++];
        }
        if (next % 2 === 1) out += end - now;
        path += `V${(y + high - high * Math.min(1, out / each)).toFixed(1)}H${LEFT + pixel + 1}`;
      }
      sheet.append(svg("path", {d: `${path}V${y + high}Z`, class: `${"ab"[end]} fill`}, title(`balance: ${name}`)));
      sheet.append(line(LEFT, y + high, width - RIGHT, y + high, {class: "grid-line"}));
      y += high + 5;
    }
    return y + 4;
  }

  function axis(sheet, y) {
    const low = view[0] * DATA.unit, high = view[1] * DATA.unit;
    const {step, found} = ticks(low, high, Math.max(2, (width - LEFT) / 110));
    for (const moment of found) {
      const where = x(moment / DATA.unit);
      sheet.prepend(line(where, TOP, where, y, {class: "grid-line"}));
      sheet.append(text(Math.min(where, width - 40), y + 15, time(moment, step), {"text-anchor": "middle", class: "faint"}));
    }
    sheet.append(line(LEFT, y, width - RIGHT, y, {class: "axis"}));
    return y + 22;
  }

  function draw() {
    const sheet = svg("svg", {width, role: "img", tabindex: 0,
      "aria-label": `Timeline from ${time(view[0] * DATA.unit)} to ${time(view[1] * DATA.unit)}: faults, link states, traffic, balance`});
    let y = faults(sheet, TOP);
    y = links(sheet, y + 4);
    y = mirrored(sheet, y, "frames", DATA.traffic);
    y = mirrored(sheet, y, "in flight", DATA.in_flight);
    y = balance(sheet, y);
    if (selected) {
      const from = clip(x(selected[0])), to = clip(x(selected[1]));
      if (selected[0] <= view[1] && selected[1] >= view[0])
        sheet.prepend(svg("rect", {x: from - 1, y: TOP, width: Math.max(2, to - from), height: y - TOP, class: "rest fill", "fill-opacity": .25}, title(selected[2])));
    }
    y = axis(sheet, y);
    sheet.setAttribute("height", y);
    sheet.addEventListener("pointerdown", event => { if (event.button === 0) dragged = [event.offsetX, event.offsetX]; });
    sheet.addEventListener("pointermove", event => {
      if (!dragged) return;
      dragged[1] = event.offsetX;
      sheet.querySelector(".drag")?.remove();
      const from = clip(Math.min(...dragged)), to = clip(Math.max(...dragged));
      sheet.append(svg("rect", {x: from, y: TOP, width: to - from, height: y - TOP, class: "drag rest fill", "fill-opacity": .3}));
    });
    sheet.addEventListener("keydown", event => {
      const act = {ArrowLeft: () => move(-.25), ArrowRight: () => move(.25), "+": () => zoom(.5), "-": () => zoom(2), 0: () => show(...whole)}[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      act();
      place.firstChild.focus();
    });
    place.replaceChildren(sheet);
  }

  addEventListener("pointerup", () => {
    if (!dragged) return;
    const [from, to] = dragged.map(where => at(clip(where))).sort((one, other) => one - other);
    const far = Math.abs(dragged[1] - dragged[0]) > 4;
    dragged = null;
    if (far) show(from, to); else place.querySelector(".drag")?.remove();
  });

  const tools = {"Earlier": () => move(-.5), "Later": () => move(.5), "Closer": () => zoom(.5), "Further": () => zoom(2), "All": () => show(...whole)};
  for (const [name, act] of Object.entries(tools)) {
    const button = html("button", {type: "button"}, name);
    button.addEventListener("click", act);
    document.getElementById("timeline-tools").append(button);
  }
  keepDrawn(place, now => { width = now; draw(); });

  return {
    // Marks a stretch of time, and moves the view if none of it is seen.
    select(from, to, name) {
      selected = [from, to, name];
      if (to < view[0] || from > view[1]) show(from - (view[1] - view[0]) / 2, from + (view[1] - view[0]) / 2);
      else draw();
    },
  };
})();
