import { configJsonSchema } from "../../index.ts";
import type { Run } from "../command.ts";

export const run: Run<[]> = async (_, { out }) => {
  await out.document(Buffer.from(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`));
};
