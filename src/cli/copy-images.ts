import { writeFile } from "node:fs/promises";
import { RegistryError, type CopyOutcome, type CopyOptions, type CopyResult, type Platform } from "../index.ts";
import type { Cli } from "./cli.ts";
import type { ExitName } from "./exit-codes.ts";
import * as options from "./options.ts";
import { count, formatSize, formatSpan, plain } from "./render/text.ts";

/** What the commands that move images do alike: copies, shows how it went, and answers how to end. */
export async function copyImages(
  source: string,
  destinations: readonly string[],
  { get, client, out, reporter, signal }: Cli,
  more: { readonly allTags?: boolean; readonly noClobber?: boolean; readonly platforms?: readonly Platform[] } = {},
): Promise<ExitName> {
  const dryRun = get(options.dryRun);
  if (more.allTags || destinations.length > 1) reporter.eachImage();
  const outcome = await (
    await client({ from: [source], to: destinations })
  ).copy(source, destinations, {
    ...copyOptions(get),
    ...more,
    dryRun,
    signal,
    onEvent: (event) => reporter.on(event),
  });
  reporter.stop();
  await out.print({ ...outcome, failures: outcome.failures.map(failureFields) }, () =>
    outcomeText(outcome, dryRun, get(options.quiet)),
  );
  const digestFile = get(options.digestFile);
  if (digestFile !== undefined) await writeFile(digestFile, outcome.images.map((image) => image.digest).join("\n"));
  if (outcome.failures.length > 0) throw failureOf(outcome);
  const changes = dryRun && get(options.detailedExitcode) && outcome.images.some((image) => image.outcome === "copied");
  return changes ? "changes" : "done";
}

function copyOptions(get: Cli["get"]): CopyOptions {
  const platforms = get(options.platforms);
  const jobs = get(options.jobs);
  const limitRate = get(options.limitRate);
  return {
    ...(platforms.length > 0 && !platforms.includes("all") && { platforms: platforms as readonly Platform[] }),
    ...(jobs !== undefined && { jobs }),
    ...(limitRate !== undefined && { limitRate }),
    ...(get(options.toOci) && { convert: "oci" as const }),
    referrers: get(options.referrers),
  };
}

/** One image that failed is that image's error; of many, it is told which. */
function failureOf({ images, failures }: CopyOutcome): RegistryError {
  const [first] = failures;
  if (images.length === 0 && failures.length === 1) return first!.error;
  const list = failures.map(({ to, error }) => `${to}: ${error.message}`).join("; ");
  return new RegistryError(
    images.length > 0 ? "PARTIAL" : first!.error.code,
    `${failures.length} of ${count(images.length + failures.length, "copy", "copies")} failed: ${list}`,
    {
      cause: first!.error,
      hint: "run it again: what has arrived is not sent again",
    },
  );
}

function failureFields({ to, error }: CopyOutcome["failures"][number]): Record<string, unknown> {
  const { code, message, side, host, status, hint } = error;
  return { to, error: { code, message, side, host, status, hint } };
}

function outcomeText({ images, bytes, ms }: CopyOutcome, dryRun: boolean, quiet: boolean): string {
  if (quiet) return images.map((image) => `${image.digest}\n`).join("");
  const [only] = images;
  if (only && images.length === 1)
    return `${plain(only.to)}@${only.digest}\n${sentence(only.outcome, dryRun)}${contents(images)}${moved(dryRun, bytes, ms)}\n`;
  const by = (name: CopyResult["outcome"]): number => images.filter((image) => image.outcome === name).length;
  const parts = [
    by("copied") > 0 && `${dryRun ? "would copy" : "copied"} ${count(by("copied"), "image")}`,
    by("unchanged") > 0 && `${by("unchanged")} unchanged`,
    by("kept") > 0 && `${by("kept")} left alone`,
  ].filter(Boolean);
  return images.length === 0 ? "" : `${parts.join(", ")}${contents(images)}${moved(dryRun, bytes, ms)}\n`;
}

function sentence(outcome: CopyResult["outcome"], dryRun: boolean): string {
  if (outcome === "kept") return "left alone: the tag is there";
  if (outcome === "unchanged") return "unchanged";
  return dryRun ? "would copy it" : "copied";
}

/** What the images consist of, and how each part got there. */
function contents(images: readonly CopyResult[]): string {
  const sum = (of: (image: CopyResult) => number): number => images.reduce((total, image) => total + of(image), 0);
  const [manifests, written, mounted, exists] = [
    sum((i) => i.manifests),
    sum((i) => i.blobs.written),
    sum((i) => i.blobs.mounted),
    sum((i) => i.blobs.exists),
  ];
  const attached = sum((image) => image.referrers + image.digestTags);
  const blobs = written + mounted + exists;
  const ways = [
    written > 0 && `${written} sent`,
    mounted > 0 && `${mounted} mounted`,
    exists > 0 && `${exists} there already`,
  ].filter(Boolean);
  const parts = [
    manifests > 0 && count(manifests, "manifest"),
    attached > 0 && `${attached} of them attached`,
    blobs > 0 && `${count(blobs, "blob")} (${ways.join(", ")})`,
  ].filter(Boolean);
  return parts.length > 0 ? `: ${parts.join(", ")}` : "";
}

function moved(dryRun: boolean, bytes: number, ms: number): string {
  return dryRun ? `; ${formatSize(bytes)} to send` : `; ${formatSize(bytes)} in ${formatSpan(ms)}`;
}
