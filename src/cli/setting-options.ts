import type { Option } from "./option.ts";
import * as options from "./options.ts";
import { inUseOptions } from "./table/in-use-options.ts";

/** The options that stand for a key of the configuration. */
export const settingOptions: readonly Option[] = [...Object.values(options), inUseOptions]
  .flat()
  .filter((one: object): one is Option => "setting" in one && one.setting !== undefined)
  .filter((one, i, all) => all.indexOf(one) === i);
