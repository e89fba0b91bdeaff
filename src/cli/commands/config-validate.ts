import { checkConfig, type ConfigReport, type Fault } from "../../index.ts";
import type { Run } from "../command.ts";
import { paint, plain, type Look } from "../render/text.ts";

export const run: Run<[files: string[]]> = async ([files], { places, out }) => {
  // A file that is named may be for another machine, whose certificates are not here.
  const { checkMachine, checkSections } = await import("../config-check.ts");
  const report = await checkConfig(places, files, files.length === 0 ? checkMachine : checkSections);
  await out.print(report, reportText);
  return report.faults.length > 0 ? "usage" : "done";
};

function reportText({ files, faults, warnings }: ConfigReport, look: Look): string {
  const good = files.filter(({ path }) => !faults.some(({ source }) => source === path));
  return [
    ...faults.map((fault) => line(fault, paint(look, "red", "error:"))),
    ...warnings.map((warning) => line(warning, paint(look, "yellow", "warning:"))),
    ...good.map(({ path }) => `${plain(path)}: ${paint(look, "green", "right")}\n`),
    ...(files.length + faults.length === 0 ? ["no configuration file\n"] : []),
  ].join("");
}

function line({ source, line: row, column, message, hint }: Fault, label: string): string {
  const place = [plain(source), row, column].filter((part) => part !== undefined).join(":");
  return `${place}: ${label} ${plain(message)}${hint ? `; ${plain(hint)}` : ""}\n`;
}
