import type { Run } from "../command.ts";
import { documentText, policyAt, policyWords } from "../lifecycle-place.ts";
import { openRepository } from "../service-place.ts";

export const run: Run<[repository: string]> = async ([place], cli) => {
  const at = await openRepository(place, cli);
  const policy = await policyAt(at, cli);
  if (!policy) return "notFound";
  cli.reporter.say(`${at.name}: a policy ${policyWords(policy)}`);
  await cli.out.print(policy.document, documentText);
  return "done";
};
