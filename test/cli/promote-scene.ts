import { beforeEach } from "vitest";
import type { Digest, Plan, Store } from "../../src/index.ts";
import { receiptType, type Receipt } from "../../src/policy/index.ts";
import type { ServerEvent } from "../../src/server/index.ts";
import { image, putImage, type TestImage } from "../support/images.ts";
import { gantry, testRegistry, type Ended, type TestRegistry } from "./support.ts";

export const digestOf = ({ manifest }: TestImage): Digest => manifest.descriptor.digest;
export const [older, app, newer] = [image("1.2.2"), image("1.2.3"), image("1.2.4")];
export const images: Readonly<Record<string, TestImage>> = { "1.2.2": older, "1.2.3": app, "1.2.4": newer };

/** What tests of promotions are about: a registry with three versions of dev/app, made anew for each test. */
export interface PromoteScene {
  readonly registry: TestRegistry;
  /** What the registry told since. */
  readonly events: ServerEvent[];
  readonly host: string;
  /** The repository `dev/app`. */
  readonly dev: string;
}

export function promoteScene(): PromoteScene {
  const scene = {} as { -readonly [K in keyof PromoteScene]: PromoteScene[K] };
  beforeEach(async () => {
    const events: ServerEvent[] = [];
    const registry = await testRegistry({ onEvent: (event) => void events.push(event) });
    for (const [tag, one] of Object.entries(images)) await putImage(registry.store("dev/app"), one, tag);
    Object.assign(scene, { registry, events, host: registry.host, dev: `${registry.host}/dev/app` });
  });
  return scene;
}

/** The receipts that are attached to an image. */
export async function receiptsAt(store: Store, subject: TestImage): Promise<Receipt[]> {
  const found: Receipt[] = [];
  for await (const { digest, artifactType } of store.referrers(digestOf(subject))) {
    if (artifactType !== receiptType) continue;
    const [file] = (await store.manifest(digest))!.blobs.filter(({ mediaType }) => mediaType === receiptType);
    const bytes = await Array.fromAsync(await store.blob(file!.digest));
    found.push(JSON.parse(Buffer.concat(bytes).toString()));
  }
  return found;
}

/** Runs `promote`, with stages as told. */
export async function promote(
  words: readonly string[],
  stages: object = {},
  env: Record<string, string> = {},
): Promise<Ended> {
  return gantry(["promote", ...words], { env: { USER: "alice", GANTRY_PROMOTE: JSON.stringify({ stages }), ...env } });
}

/** The plan that a command printed. */
export const planIn = ({ stdout }: Ended): Plan => JSON.parse(stdout);
/** What of it was refused, and why. */
export const refusals = (ended: Ended): string[] =>
  planIn(ended).notes.flatMap(({ level, message }) => (level === "refused" ? [message] : []));
