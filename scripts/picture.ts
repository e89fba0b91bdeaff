// Draws what a command printed as docs/demo.svg: `npm run demo` by default, in its own colours.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const [cell, line, margin, columns] = [8.4, 19, 18, 132] as const;
/** SGR foreground colours 30 to 37 and 90 to 97, on a dark ground. */
const palette = ["#6e7681", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"];

interface Style {
  readonly colour?: string;
  readonly bold?: boolean;
  readonly dim?: boolean;
}

function styled(style: Style, codes: readonly number[]): Style {
  return codes.reduce<Style>((now, code) => {
    if (code === 0) return {};
    if (code === 1) return { ...now, bold: true };
    if (code === 2) return { ...now, dim: true };
    if (code === 22) return { colour: now.colour };
    if (code === 39) return { bold: now.bold, dim: now.dim };
    if (code >= 30 && code <= 37) return { ...now, colour: palette[code - 30] };
    if (code >= 90 && code <= 97) return { ...now, colour: palette[code - 90] };
    return now;
  }, style);
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function drawLine(text: string, row: number): string {
  const parts: string[] = [];
  let style: Style = {};
  let column = 0;
  for (const part of text.split("\u001B[").map((piece, i) => (i === 0 ? `m${piece}` : piece))) {
    const end = part.indexOf("m");
    const plain = part.slice(end + 1);
    if (end > 0 || part.startsWith("m")) style = styled(style, part.slice(0, end).split(";").map(Number));
    const shown = plain.slice(0, Math.max(0, columns - column));
    if (shown.trim() !== "") {
      const attributes = [
        `x="${(margin + column * cell).toFixed(1)}"`,
        `textLength="${(shown.length * cell).toFixed(1)}"`,
        style.colour && `fill="${style.colour}"`,
        style.bold && 'font-weight="bold"',
        style.dim && 'opacity="0.6"',
      ];
      parts.push(`<tspan ${attributes.filter(Boolean).join(" ")}>${escape(shown)}</tspan>`);
    }
    column += plain.length;
  }
  return parts.length === 0
    ? ""
    : `<text y="${margin + (row + 1) * line}" xml:space="preserve">${parts.join("")}</text>`;
}

const [command = "npm", ...args] = process.argv.length > 2 ? process.argv.slice(2) : ["npm", "run", "--silent", "demo"];
const env = { ...process.env, FORCE_COLOR: "1", COLUMNS: String(columns) };
const { stdout, status } = spawnSync(command, args, {
  cwd: root,
  env,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
const lines = stdout.trimEnd().split("\n");
const size = { width: Math.ceil(columns * cell + 2 * margin), height: (lines.length + 1) * line + 2 * margin };
const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">
${lines.map(drawLine).filter(Boolean).join("\n")}
</g>
</svg>
`;
writeFileSync(join(root, "docs", "demo.svg"), picture);
process.stdout.write(`docs/demo.svg: ${lines.length} lines\n`);
