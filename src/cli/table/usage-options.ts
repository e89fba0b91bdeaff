import { RegistryError } from "../../index.ts";
import { flag, value, type Option } from "../option.ts";
import { parseCount } from "../option-values.ts";

/** By what `ls --usage` can be sorted. */
export type UsageOrder = "size" | "frees" | "name";
const orders: readonly UsageOrder[] = ["size", "frees", "name"];

export const usageOption: Option<boolean> = flag(
  "--usage",
  "tell the bytes of repositories, images and shared layers, and what deleting each would free",
);
export const treeOption: Option<boolean> = flag("--tree", "with --usage: the images of each repository");
export const sortOption: Option<UsageOrder | undefined> = value(
  "--sort <by>",
  "with --usage: by size, by what it frees, or by name (default: size)",
  (text) => {
    const order = orders.find((one) => one === text);
    if (order) return order;
    throw new RegistryError("INVALID", `${JSON.stringify(text)} is none of ${orders.join(", ")}`);
  },
  { completes: orders },
);
export const topOption: Option<number | undefined> = value(
  "--top <count>",
  "with --usage: only so many repositories, images of each, and layers",
  parseCount,
);
export const htmlOption: Option<string | undefined> = value(
  "--html <file>",
  "with --usage: draw it as a page of its own, too; - is stdout, which then has nothing else",
  String,
  { completes: "file" },
);

export const usageOptions: readonly Option[] = [usageOption, treeOption, sortOption, topOption, htmlOption];
