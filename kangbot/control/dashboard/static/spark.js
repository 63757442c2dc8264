// A line without axes, drawn as SVG from a bounded list of numbers.

const SVG = "http://www.w3.org/2000/svg";

/** Make an empty line; `draw(values)` fills it. */
export function spark(kind, width = 92, height = 24) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", kind);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(path);
  return {
    node: svg,
    draw(values) {
      if (values.length < 2) return;
      const low = Math.min(...values), span = Math.max(...values) - low || 1;
      const x = (index) => (index / (values.length - 1)) * width;
      const y = (value) => height - 2 - ((value - low) / span) * (height - 4);
      path.setAttribute("d", values.map((value, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join(""));
    },
  };
}

/** Keep the newest `limit` values. */
export function remember(list, value, limit) {
  list.push(value);
  if (list.length > limit) list.shift();
  return list;
}
