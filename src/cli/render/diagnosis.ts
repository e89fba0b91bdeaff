import type { Diagnosis } from "../../index.ts";
import { paint, plain, type Look } from "./text.ts";

const marks = {
  fine: ["✓", "green"],
  warning: ["!", "yellow"],
  fault: ["✗", "red"],
  skipped: ["-", "dim"],
} as const;

/** As wide as the longest name of a check. */
const width = 10;

/** One line on what was found and, where it is not fine, lines on the cause and the command that mends it. */
export function diagnosisText({ check, verdict, message, cause, command }: Diagnosis, look: Look): string {
  const [mark, style] = marks[verdict];
  const indent = " ".repeat(width + 4);
  const name = check.padEnd(width);
  const first =
    verdict === "skipped"
      ? paint(look, "dim", `${mark} ${name}  ${plain(message)}`)
      : `${paint(look, style, mark)} ${paint(look, "bold", name)}  ${plain(message)}`;
  const told = verdict === "fine" ? [first] : [first, cause && `${indent}${plain(cause)}`];
  const next = command && verdict !== "fine" && `${indent}${paint(look, "cyan", `-> ${plain(command)}`)}`;
  return [...told, next]
    .filter(Boolean)
    .map((line) => `${line}\n`)
    .join("");
}
