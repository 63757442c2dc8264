// Elements without a framework: what is unchanged is not touched, so a board of 27 rows costs little on a phone.

/** An element with attributes (`on…` listeners, `class`, `text`) and children. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set the text where it differs; true where it did. */
export function say(node, text) {
  const words = String(text ?? "");
  if (node.textContent === words) return false;
  node.textContent = words;
  return true;
}

/** Set the class where it differs. */
export function dress(node, name) {
  if (node.className !== name) node.className = name;
}

const OWN_WORDS = ["signal", "said"]; // columns that the daemon speaks in: in English, whichever language the page is in

/** A table in a sheet, on a phone a card for each row; `columns` are [title, cell(row) → text or node, class]. */
export function table(columns, rows, empty) {
  if (!rows.length) return h("div", { class: "sheet empty", text: empty });
  const head = h("tr", {}, ...columns.map(([title, , kind]) => h("th", { class: kind, scope: "col", text: title })));
  const body = rows.map((row) => h("tr", {}, ...columns.map(([title, cell, kind]) => {
    const value = cell(row);
    const td = h("td", { class: kind, "data-name": title, lang: OWN_WORDS.includes(kind) && "en" });
    td.append(value instanceof Node ? value : String(value ?? ""));
    return td;
  })));
  return h("div", { class: "sheet rows" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...body)));
}
