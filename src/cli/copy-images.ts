import { RegistryError, type CopyLocationsOptions, type CopyOutcome, type Platform } from "../index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import { expectWritable, writeText } from "./files.ts";
import { immutableTags } from "./immutable.ts";
import * as options from "./options.ts";
import { outcomeText } from "./render/outcome.ts";
import { count } from "./render/text.ts";
import { create } from "./table/service-options.ts";

/** What the commands that move images do alike: copies, shows how it went, and answers how to end. */
export async function copyImages(
  source: string,
  destinations: readonly string[],
  cli: Cli,
  more: { readonly allTags?: boolean; readonly noClobber?: boolean; readonly platforms?: readonly Platform[] } = {},
): Promise<ExitName> {
  const { get, client, reporter, signal } = cli;
  const digestFile = get(options.digestFile);
  if (digestFile !== undefined) await expectWritable(digestFile);
  if (more.allTags || destinations.length > 1) reporter.eachImage();
  const immutable = await immutableTags(cli);
  const connected = await client({ from: [source], to: destinations });
  const outcome = await connected.copy(source, destinations, {
    ...copyOptions(get),
    ...(immutable && { immutable }),
    ...more,
    signal,
    onEvent: (event) => reporter.on(event),
  });
  reporter.stop();
  await show(outcome, destinations, cli);
  if (digestFile !== undefined) await writeText(digestFile, outcome.images.map((image) => image.digest).join("\n"));
  if (outcome.failures.length > 0) throw failureOf(outcome);
  const changes = get(options.dryRun) && outcome.images.some((image) => image.outcome === "copied");
  return changes && get(options.detailedExitcode) ? "changes" : "done";
}

function copyOptions(get: Cli["get"]): CopyLocationsOptions {
  const platforms = get(options.platforms).filter((platform) => platform !== "all");
  const jobs = get(options.jobs);
  const limitRate = get(options.limitRate);
  return {
    dryRun: get(options.dryRun),
    create: get(create),
    referrers: get(options.referrers),
    ...(platforms.length > 0 && !get(options.platforms).includes("all") && { platforms }),
    ...(jobs !== undefined && { jobs }),
    ...(limitRate !== undefined && { limitRate }),
    ...(get(options.toOci) && { convert: "oci" as const }),
  };
}

/** Writes the result; where an archive has gone to stdout, to stderr. */
async function show(outcome: CopyOutcome, destinations: readonly string[], { get, out, reporter }: Cli): Promise<void> {
  const text = (): string =>
    get(options.quiet)
      ? outcome.images.map((image) => `${image.digest}\n`).join("")
      : outcomeText(outcome, get(options.dryRun));
  if (destinations.some((destination) => /^[a-z-]+:-(:|$)/.test(destination))) {
    if (outcome.images.length > 0) reporter.say(text().trimEnd());
    return;
  }
  const failures = outcome.failures.map(({ to, error: { code, message, side, host, status, hint } }) => ({
    to,
    error: { code, message, side, host, status, hint },
  }));
  return out.print({ ...outcome, failures, ms: Math.round(outcome.ms) }, text);
}

/** What failed for one reason alone is that error; else it is told which copies failed, and why. */
function failureOf({ images, failures }: CopyOutcome): RegistryError {
  const { error } = failures[0]!;
  const byError = [...Map.groupBy(failures, (failure) => failure.error)];
  if (images.length === 0 && byError.length === 1) return error;
  const list = byError
    .map(([{ message }, copies]) => `${copies.map(({ to }) => to).join(", ")}: ${message}`)
    .join("; ");
  const { side, host, status } = error;
  return new RegistryError(
    images.length > 0 ? "PARTIAL" : error.code,
    `${failures.length} of ${count(images.length + failures.length, "copy", "copies")} failed: ${list}`,
    {
      ...(side && { side }),
      ...(host && { host }),
      ...(status && { status }),
      cause: error,
      hint: "run it again: what has arrived is not sent again",
    },
  );
}
