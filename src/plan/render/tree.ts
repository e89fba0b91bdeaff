import { formatSize, paint, plain, type Look } from "../../text/text.ts";
import type { Plan, Step } from "../plan.ts";
import { byPlace, keptByReason, nameIn, stepsText, summary } from "./summary.ts";

/** A line, and those below it. */
interface Node {
  readonly text: string;
  readonly below?: readonly Node[];
}

/** A plan as a tree: repositories, their steps, and all that there is to tell of each step. */
export function planTree(plan: Plan, look: Look): string {
  const from = plan.from === undefined ? "" : ` from ${plan.from}`;
  const places = byPlace(plan.steps).map(({ place, steps }) => ({
    text: `${paint(look, "cyan", plain(place))}  ${paint(look, "dim", stepsText(steps))}`,
    below: steps.map((step) => stepNode(step, look)),
  }));
  const kept = keptByReason(plan.kept).map(({ why, kept: its }) => ({
    text: `kept: ${plain(why)}  ${paint(look, "dim", String(its.length))}`,
    below: its.map(({ at }) => ({ text: plain(at) })),
  }));
  const title = `${plan.kind}, made ${plan.made}${from}: ${summary(plan)}`;
  return `${paint(look, "bold", plain(title))}\n${lines([...places, ...kept], "").join("")}`;
}

function stepNode(step: Step, look: Look): Node {
  const size = step.bytes === undefined ? "" : `  ${paint(look, "dim", formatSize(step.bytes))}`;
  const told = [["why", step.why], ["rule", step.rule], ...parts(step), ["after", step.after?.join(", ")]] as const;
  const below = told.flatMap(([name, text]) => (text ? [{ text: `${paint(look, "dim", name)} ${plain(text)}` }] : []));
  return { text: `${step.do} ${plain(nameIn(step.at))}${size}`.replace(/ +$/, ""), below };
}

type Part = readonly [name: string, text: string | undefined];

function parts(step: Step): readonly Part[] {
  switch (step.do) {
    case "delete tag":
      return [["names", step.digest]];
    case "delete manifest":
      return [["with its tags", step.tags.join(", ")]];
    case "tag":
      return [
        ["to", step.digest],
        ["now", step.before ?? "not there"],
      ];
    case "copy":
      return [
        ["from", step.from],
        ["digest", step.digest],
        ["now", step.before === undefined ? undefined : (step.before ?? "not there")],
        ["platforms", step.platforms?.join(", ")],
        ["attached", step.referrers === false ? "stays behind" : undefined],
      ];
    case "attach":
      return [["type", step.artifactType]];
    case "set immutability":
      return [
        ["tags", step.tags],
        ["except", step.except?.join(", ")],
      ];
    case "restore":
      return [["tags", step.tags.join(", ")]];
    default:
      return [];
  }
}

function lines(nodes: readonly Node[], indent: string): readonly string[] {
  return nodes.flatMap(({ text, below = [] }, i) => {
    const isLast = i === nodes.length - 1;
    return [`${indent}${isLast ? "└─ " : "├─ "}${text}\n`, ...lines(below, `${indent}${isLast ? "   " : "│  "}`)];
  });
}
