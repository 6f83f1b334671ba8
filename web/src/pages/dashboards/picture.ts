// A panel as a picture: what is drawn and written on screen is drawn again on a canvas. The page's policy lets no picture in
// that does not come from the server, so the browser cannot be given the SVG itself.

/** Pixels of the picture for each of the screen. */
const SCALE = 2;
const MARGIN = 12;
/** Elements that are drawn at most. */
const ELEMENTS_MAX = 20_000;

interface Brush {
  context: CanvasRenderingContext2D;
  left: number;
  top: number;
}

function isShown(style: CSSStyleDeclaration): boolean {
  return style.display !== "none" && style.visibility !== "hidden" && style.opacity !== "0";
}

/** Returns the outline of a shape of SVG. */
function outline(element: SVGElement): Path2D | null {
  const n = (name: string) => Number(element.getAttribute(name) ?? 0);
  const path = new Path2D();
  switch (element.tagName) {
    case "path":
      return new Path2D(element.getAttribute("d") ?? "");
    case "line":
      path.moveTo(n("x1"), n("y1"));
      path.lineTo(n("x2"), n("y2"));
      return path;
    case "rect":
      path.rect(n("x"), n("y"), n("width"), n("height"));
      return path;
    case "circle":
      path.arc(n("cx"), n("cy"), n("r"), 0, 2 * Math.PI);
      return path;
    default:
      return null;
  }
}

function drawShape(element: SVGGraphicsElement, style: CSSStyleDeclaration, { context, left, top }: Brush): void {
  const matrix = element.getScreenCTM();
  if (!matrix) return;
  context.save();
  context.translate(-left, -top);
  context.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f);
  const opacity = Number(style.opacity);
  const path = outline(element);
  if (path && style.fill !== "none" && element.tagName !== "line") {
    context.globalAlpha = opacity * Number(style.fillOpacity);
    context.fillStyle = style.fill;
    context.fill(path);
  }
  if (path && style.stroke !== "none") {
    context.globalAlpha = opacity * Number(style.strokeOpacity);
    context.strokeStyle = style.stroke;
    context.lineWidth = Number.parseFloat(style.strokeWidth) || 1;
    context.setLineDash(
      style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(/[\s,]+/).map(Number.parseFloat),
    );
    context.stroke(path);
  }
  if (element.tagName === "text") {
    const anchors: Readonly<Record<string, CanvasTextAlign>> = { middle: "center", end: "right" };
    context.globalAlpha = opacity;
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.fill;
    context.textAlign = anchors[style.textAnchor] ?? "left";
    const at = (name: string) => Number(element.getAttribute(name) ?? 0);
    context.fillText(element.textContent ?? "", at("x"), at("y"));
  }
  context.restore();
}

/** Draws the texts of an element, each where its line is. */
function drawTexts(element: HTMLElement, style: CSSStyleDeclaration, { context, left, top }: Brush): void {
  for (const node of element.childNodes) {
    if (node.nodeType !== Node.TEXT_NODE || (node.textContent ?? "").trim() === "") continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const [box] = range.getClientRects();
    const around = element.getBoundingClientRect();
    if (!box) continue;
    context.save();
    // What is cut off on screen is cut off in the picture.
    context.beginPath();
    context.rect(around.left - left, around.top - top, around.width + 1, around.height + 1);
    context.clip();
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.textBaseline = "middle";
    context.fillText((node.textContent ?? "").trim(), box.left - left, box.top - top + box.height / 2);
    context.restore();
  }
}

function drawBox(element: HTMLElement, style: CSSStyleDeclaration, { context, left, top }: Brush): void {
  const box = element.getBoundingClientRect();
  if (/rgba\(.*, 0\)|transparent/.test(style.backgroundColor)) return;
  context.fillStyle = style.backgroundColor;
  context.fillRect(box.left - left, box.top - top, box.width, box.height);
}

/** Whether an element lies outside of what is seen of the box that it scrolls in. */
function isOut(element: Element, frame: DOMRect): boolean {
  const box = element.getBoundingClientRect();
  return box.bottom < frame.top || box.top > frame.bottom || box.width === 0;
}

/** Draws a panel. */
export async function pictureOf(panel: HTMLElement): Promise<Blob> {
  const frame = panel.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil((frame.width + 2 * MARGIN) * SCALE);
  canvas.height = Math.ceil((frame.height + 2 * MARGIN) * SCALE);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.scale(SCALE, SCALE);
  context.fillStyle = getComputedStyle(panel).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const brush = { context, left: frame.left - MARGIN, top: frame.top - MARGIN };
  const all = [...panel.querySelectorAll("*")].slice(0, ELEMENTS_MAX);
  for (const element of all) {
    if (element.closest(".sr-only, [data-no-picture], title, defs") || isOut(element, frame)) continue;
    const style = getComputedStyle(element);
    if (!isShown(style)) continue;
    if (element instanceof SVGGraphicsElement) drawShape(element, style, brush);
    else if (element instanceof HTMLElement) {
      drawBox(element, style, brush);
      drawTexts(element, style, brush);
    }
  }
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}

/** Gives a file to the browser. */
export function saveFile(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Returns a name of a file, of a title's letters and digits. */
export function fileName(title: string, kind: string): string {
  return `${title.replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-+|-+$/g, "") || "panel"}.${kind}`;
}
