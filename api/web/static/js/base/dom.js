/** Elements made from values: text is only ever text, so a name from outside cannot become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. Properties starting with `on` are listeners, `class`, `aria-*`, `data-*`, `for`, `role` and the like
 * are attributes; `false`, `null` and `undefined` leave an attribute out, `true` sets it empty.
 * @param {string} tag
 * @param {Object|null} props
 * @param {...(Node|string|number|null|false|Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Make an element of a drawing; as `h`. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Put children in the place of all there are. */
export function replace(node, ...children) {
  node.replaceChildren(...flat(children));
  return node;
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" && "value" in node) node.value = value;
    else if (name === "style") Object.assign(node.style, value);
    else if (isUnsafe(name, value)) throw new Error(`refused address in ${name}`);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...flat(children));
  return node;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

function isUnsafe(name, value) {
  return (name === "href" || name === "src" || name === "action") && /^\s*(javascript|data|vbscript):/i.test(String(value));
}
