import { convertLifecycle, lifecycleDialects, RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";
import { documentText } from "../lifecycle-place.ts";
import { dialectOf, nothingLeft, readPolicy, tellLosses } from "../policy-file.ts";
import { simpleImages, strict, to } from "../table/lifecycle-options.ts";

export const run: Run<[file: string]> = async ([file], cli) => {
  const { get, out, stdin, reporter } = cli;
  const target = get(to);
  const names = lifecycleDialects.join(", ");
  if (!target) {
    throw new RegistryError("INVALID", "whose form the policy shall have is missing", {
      hint: `say --to, with ${names}`,
    });
  }
  const document = await readPolicy(file, stdin);
  const source = dialectOf(document, cli);
  if (!source) {
    throw new RegistryError("INVALID", `it cannot be told of which service the policy in ${file} is`, {
      hint: `say --from, with ${names}`,
    });
  }
  const converted = convertLifecycle(source, target, document, { simpleImages: get(simpleImages) });
  tellLosses(converted, cli);
  if (converted.document === undefined) throw nothingLeft(target);
  if (get(strict) && converted.losses.length > 0) {
    reporter.say("nothing was written: something would be lost");
    return "failed";
  }
  await out.print(converted.document, documentText);
  return "done";
};
