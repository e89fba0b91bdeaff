// Measures Gantry beside its peers: `npm run bench -- [NAME...] [--runs N] [--quick] [--save]`.
import { parseArgs } from "node:util";
import { copyLayers } from "./copy-layers.ts";
import { credentials } from "./credentials.ts";
import { listing } from "./listing.ts";
import { retain } from "./retain.ts";
import { server } from "./server.ts";
import { startup } from "./startup.ts";
import { machine } from "./support/machine.ts";
import { save } from "./support/readme.ts";
import { isReached, markdown } from "./support/report.ts";
import type { Scenario } from "./support/scenario.ts";
import { syncFiles } from "./sync-files.ts";
import { syncSmall } from "./sync-small.ts";

const scenarios: readonly Scenario[] = [
  copyLayers,
  syncSmall,
  syncFiles,
  server,
  startup,
  credentials,
  listing,
  retain,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "0" }, // 0: as often as the scenario thinks right.
    quick: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
const wantedRuns = Number(values.runs);
if (unknown.length > 0 || !Number.isInteger(wantedRuns) || wantedRuns < 0 || (values.save && values.quick)) {
  console.error(
    `usage: npm run bench -- [${scenarios.map(({ name }) => name).join("|")}]... [--runs N] [--quick | --save]`,
  );
  process.exit(2);
}

for (const scenario of scenarios) {
  if (positionals.length > 0 && !positionals.includes(scenario.name)) continue;
  const runs = wantedRuns || scenario.runs;
  const report = await scenario.run({ runs, quick: values.quick, log: (line) => console.error(line) });
  const command = `npm run bench -- ${scenario.name} --runs ${runs}`;
  const text = [
    `${scenario.about} Medians of ${runs} runs.`,
    markdown(report),
    `\`${command}\` on ${await machine()}`,
  ].join("\n\n");
  console.log(`\n## ${scenario.name}\n\n${text}\n`);
  if (values.save) await save(scenario.name, text);
  const missed = report.goals.filter((goal) => !isReached(goal)).length;
  console.error(`${scenario.name}: ${report.goals.length - missed} of ${report.goals.length} goals reached`);
}
