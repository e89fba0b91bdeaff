import { RegistryError } from "../../index.ts";
import { flag, value, values, type Option } from "../option.ts";
import { parseCount } from "../option-values.ts";
import { detailedExitcode, limitRate, planFormatOptions } from "../options.ts";

const heading = "Plan:";

export const out: Option<string | undefined> = value(
  "--out <file>",
  "write the plan there, for `gantry apply`",
  String,
  {
    completes: "file",
    heading,
  },
);
export const act: Option<boolean> = flag("-y, --yes", "do it at once", { heading });
export const changes: Option<boolean> = {
  ...detailedExitcode,
  summary: "end with 7 where the plan has steps",
  heading,
};
export const maxDelete: Option<number | `${number}%` | undefined> = value(
  "--max-delete <count>",
  "do nothing where more would be deleted: a number, or a part such as 10%",
  readMost,
  { heading },
);
export const protect: Option<readonly string[]> = values(
  "--protect <pattern>",
  "never delete what has such a tag (v*, /regex/, semver:RANGE, REPOSITORY:TAG), or is this digest; repeat for more",
  String,
  { heading },
);
export const journal: Option<string | undefined> = value(
  "--journal <file>",
  "where it is written down what is done, for `gantry undo`",
  String,
  { completes: "file", heading },
);
export const kept: Option<boolean> = flag("--kept", "name all that stays, and why", { heading });
export const steps: Option<number | undefined> = value("-j, --jobs <count>", "how many steps at a time", parseCount, {
  heading,
});

/** What commands take that act on a plan. */
export const applyOptions: readonly Option[] = [
  changes,
  act,
  maxDelete,
  protect,
  journal,
  steps,
  kept,
  limitRate,
  ...planFormatOptions,
];
/** What commands take that make a plan. */
export const planOptions: readonly Option[] = [out, ...applyOptions];
/** What commands take that make a plan which deletes nothing. */
export const moveOptions: readonly Option[] = planOptions.filter((one) => one !== maxDelete && one !== protect);

function readMost(text: string): number | `${number}%` {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (/^(?:100|\d{1,2})(?:\.\d+)?%$/.test(text) && Number.parseFloat(text) <= 100) return text as `${number}%`;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is neither a number nor a part such as 10%`);
}
