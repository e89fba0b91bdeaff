import { convertLifecycle, ecrTerraform, lifecycleForms, RegistryError } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { documentText } from "../lifecycle-place.ts";
import { nothingLeft, policyIn, readForm, tellLosses } from "../policy-file.ts";
import * as options from "../table/lifecycle-options.ts";

export const run: Run<[file: string]> = async ([file], cli) => {
  const { get, out, reporter } = cli;
  const target = get(options.to);
  const names = lifecycleForms.join(", ");
  if (!target) {
    throw new RegistryError("INVALID", "whose form the policy shall have is missing", {
      hint: `say --to, with ${names}`,
    });
  }
  const show = renderer(target, cli);
  const { form, document } = await readForm(file, cli);
  if (!form) {
    throw new RegistryError("INVALID", `it cannot be told of which service the policy in ${file} is`, {
      hint: `say --from, with ${names}`,
    });
  }
  const converted = convertLifecycle(form, target, await policyIn(form, document), {
    simpleImages: get(options.simpleImages),
  });
  tellLosses(converted, cli);
  if (converted.document === undefined) throw nothingLeft(target);
  if (get(options.strict) && converted.losses.length > 0) {
    reporter.say("nothing was written: something would be lost");
    return "failed";
  }
  await out.print(converted.document, show);
  return "done";
};

/** How the policy is written where no --format is said. */
function renderer(target: string, { get }: Cli): (document: unknown) => string {
  const repositories = get(options.repositories);
  const mutability = get(options.mutability);
  if (get(options.as) === undefined) {
    if (repositories.length === 0 && mutability === undefined) return documentText;
    throw new RegistryError("INVALID", "only Terraform names repositories", { hint: "say --as terraform" });
  }
  if (target !== "ecr")
    throw new RegistryError("INVALID", "only policies of ECR are written for Terraform", { hint: "say --to ecr" });
  if (repositories.length === 0) {
    throw new RegistryError("INVALID", "no repository is named that the policy is for", {
      hint: "say --repository NAME",
    });
  }
  return (document) => ecrTerraform(document, { repositories, ...(mutability && { mutability }) });
}
