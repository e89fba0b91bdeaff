import { RegistryError, type FormattedLifecycle, type LifecyclePolicy, type LifecycleLoss } from "../../index.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import type { ExitName } from "../exit-codes.ts";
import { dialectAt, documentText, policyWords } from "../lifecycle-place.ts";
import { dryRun } from "../options.ts";
import { nothingLeft, policyFor, tellLosses } from "../policy-file.ts";
import { count } from "../render/text.ts";
import { openRepository } from "../service-place.ts";
import { agree } from "../table/service-options.ts";

interface Setting extends LifecyclePolicy {
  readonly repository: string;
  /** Whether it was done, or only shown. */
  readonly done: boolean;
  readonly losses: readonly LifecycleLoss[];
}

export const run: Run<[repository: string, file: string]> = async ([place, file], cli) => {
  const { get, out, signal } = cli;
  const at = await openRepository(place, cli);
  const dialect = dialectAt(at);
  // What a service without policies has to say of it, it says itself.
  if (!dialect) return void (await at.service.setLifecycle(at.repository, {}, { signal }));
  const policy = await policyFor(file, dialect, cli);
  tellLosses(policy, cli);
  const { document, losses } = policy;
  if (document === undefined) throw nothingLeft(dialect);
  const shown: Setting = { repository: at.name, dialect, done: false, document, losses };
  if (get(dryRun)) {
    await out.print(shown, () => documentText(document));
    return "done";
  }
  const stop = await agreed(policy, cli);
  if (stop) return stop;
  const { scope } = await at.service.setLifecycle(at.repository, document, { signal });
  const done: Setting = { ...shown, ...(scope !== undefined && { scope }), done: true };
  await out.print(done, () => `${at.name}: the policy ${policyWords(done)} is set\n`);
  return "done";
};

/** Whether the user wants what is left of a policy. Answers how to end where they do not. */
async function agreed({ losses }: FormattedLifecycle, { get, reporter, confirm }: Cli): Promise<ExitName | undefined> {
  if (losses.length === 0 || get(agree)) return undefined;
  const answer = await confirm(`Set it, with ${count(losses.length, "loss", "losses")}?`);
  if (answer === true) return undefined;
  if (answer === undefined) {
    throw new RegistryError("INVALID", "nothing was set: what is named above would be lost", {
      hint: "say --dry-run to see the policy as it would be, and --yes to set it",
    });
  }
  reporter.say("nothing was set");
  return "failed";
}
