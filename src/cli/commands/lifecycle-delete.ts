import { RegistryError, type LifecyclePolicy } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { documentText, policyAt, policyWords } from "../lifecycle-place.ts";
import { dryRun, format } from "../options.ts";
import { openRepository } from "../service-place.ts";
import { agree } from "../table/service-options.ts";

interface Removal extends LifecyclePolicy {
  readonly repository: string;
  /** Whether it was done, or only shown. */
  readonly done: boolean;
}

export const run: Run<[repository: string]> = async ([place], cli) => {
  const { get, out, signal } = cli;
  const at = await openRepository(place, cli);
  const policy = await policyAt(at, cli);
  if (!policy) return "notFound";
  const plan: Removal = { repository: at.name, ...policy, done: false };
  if (get(dryRun)) {
    await out.print(plan, removalText);
    return "done";
  }
  const stop = await agreed(plan, cli);
  if (stop) return stop;
  await at.service.deleteLifecycle(at.repository, { signal });
  await out.print({ ...plan, done: true }, removalText);
  return "done";
};

/** Whether the user wants it. Answers how to end where they do not. */
async function agreed(plan: Removal, { get, out, reporter, confirm }: Cli): Promise<ExitName | undefined> {
  if (get(agree)) return undefined;
  if ((get(format) ?? "table") === "table") reporter.say(documentText(plan.document).trimEnd());
  const answer = await confirm(`Delete the policy ${policyWords(plan)}?`);
  if (answer === true) return undefined;
  if (answer === false) {
    reporter.say("nothing was deleted");
    return "failed";
  }
  await out.print(plan, () => "");
  throw new RegistryError("INVALID", `nothing was deleted: ${plan.repository} has the policy that is shown above`, {
    hint: "say --yes to delete it",
  });
}

function removalText(plan: Removal): string {
  const { repository, done, document } = plan;
  const what = `the policy ${policyWords(plan)}`;
  return done
    ? `${repository}: ${what} is deleted\n`
    : `${repository}: would delete ${what}\n${documentText(document)}`;
}
