import type { Run } from "../command.ts";
import { version } from "../../version.ts";

export const run: Run<[]> = async (_, { out }) => {
  const { node } = process.versions;
  const result = { version, node, os: process.platform, architecture: process.arch };
  await out.print(result, () => `gantry ${version}\n`);
};
