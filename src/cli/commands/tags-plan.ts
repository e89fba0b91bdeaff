import { isAbsent, isRegistryError, RegistryError, type Digest, type Store } from "../../index.ts";
import {
  defaultRules,
  environmentRule,
  makeTags,
  newerReleases,
  parseFlavor,
  parseRulesFile,
  parseTagRule,
  planTags,
  settleTags,
  type BuildContext,
  type MadeTags,
} from "../../policy/index.ts";
import { buildContext } from "../build-context.ts";
import type { Cli } from "../cli.ts";
import type { Run } from "../command.ts";
import { absent } from "../image.ts";
import { immutableTags } from "../immutable.ts";
import { force } from "../options.ts";
import { leftOut, offerPlan } from "../plans.ts";
import { readDocument } from "../documents.ts";
import { offerImmutability } from "../offer-immutability.ts";
import { plain } from "../render/text.ts";
import * as options from "../table/tags-options.ts";

export const run: Run<[reference: string | undefined]> = async ([reference], cli) => {
  const { get } = cli;
  if (get(options.setImmutability)) return offerImmutability(reference, cli);
  const context = await buildContext(cli);
  const now = new Date(get(options.asOf) ?? Date.now());
  const made = await madeTags(context, now, cli);
  if (reference === undefined) return printTags(made, context, cli);
  if (get(options.forRepository).length > 0) {
    throw new RegistryError("INVALID", "--for is for an image that is not there yet", {
      hint: "leave it out, or the image",
    });
  }
  const client = await cli.client({ from: [reference] });
  const opened = client.open(reference);
  const ref = await client.resolve(opened, { signal: cli.signal });
  const digest = (await opened.store.head(ref, { signal: cli.signal }))?.digest;
  if (!digest) throw absent(opened.name);
  const tags = await readTags(opened.store, made, cli);
  const immutable = await immutableTags(cli);
  const policy = { force: get(force), ...(immutable && { immutable }) };
  const plan = planTags(made, { repository: opened.store.name, digest, tags }, policy, now);
  return leftOut(plan, await offerPlan(plan, cli, client));
};

async function madeTags(context: BuildContext, now: Date, cli: Cli): Promise<MadeTags> {
  const { get } = cli;
  const [file, lines] = [get(options.rulesFile), get(options.rules)];
  const read = file === undefined ? undefined : parseRulesFile(await readDocument(file, cli.stdin));
  const given = [...(read?.rules ?? []), ...lines.map(parseTagRule)];
  const rules = given.length > 0 ? given : defaultRules(context, { zero: get(options.zero) });
  const flavors = get(options.flavor);
  const flavor = flavors.length > 0 ? parseFlavor(flavors) : (read?.flavor ?? parseFlavor([]));
  const made = makeTags([...rules, ...get(options.environment).map(environmentRule)], flavor, context, now);
  if (made.tags.length === 0 && context.ref === undefined && context.sha === undefined) {
    throw new RegistryError("INVALID", "nothing is known of what is built: this is no git repository, and no CI", {
      hint: "say --git-tag, --branch or --pull-request, and --commit",
    });
  }
  return made;
}

/** Prints tags for an image that is not there yet. */
async function printTags(made: MadeTags, context: BuildContext, cli: Cli): Promise<void> {
  const { get, out, reporter } = cli;
  const places = get(options.forRepository);
  const settled = [];
  for (const place of places) settled.push(await settledFor(place, made, cli));
  const [first] = settled;
  const tags = first?.given ?? made.tags;
  const references = settled.flatMap(({ name, given }) => given.map(({ tag }) => `${name}:${tag}`));
  const held = settled.flatMap(({ name, held: all }) => all.map(({ tag, why }) => ({ at: `${name}:${tag}`, why })));
  for (const note of made.notes) reporter.say(plain(`note: ${note}`));
  for (const { at, why } of held) reporter.say(plain(`left: ${at}: ${why}`));
  if (made.tags.length === 0) reporter.say("no rule makes a tag of this build");
  const { ref, sha, event } = context;
  const build = {
    ...(ref !== undefined && { ref }),
    ...(sha !== undefined && { sha }),
    ...(event !== undefined && { event }),
  };
  const names = places.length > 0 ? references : tags.map(({ tag }) => tag);
  const result = { build, tags, ...(places.length > 0 && { references, held }), remarks: made.notes };
  await out.print(result, () =>
    get(options.asFlags)
      ? `${names.map((name) => `--tag ${name}`).join(" ")}\n`
      : names.map((name) => `${name}\n`).join(""),
  );
}

async function settledFor(
  place: string,
  made: MadeTags,
  cli: Cli,
): Promise<ReturnType<typeof settleTags> & { readonly name: string }> {
  const { location, store, ref, name } = (await cli.client({ from: [place] })).open(place);
  if (ref !== undefined || location.transport !== "registry") {
    throw new RegistryError("INVALID", `--for: ${name} is no repository of a registry`, {
      hint: "write HOST/REPOSITORY",
    });
  }
  const tags = await readTags(store, made, cli);
  const settled = cli.get(force) ? { given: made.tags, held: [] } : settleTags(made.tags, tags);
  const immutable = await immutableTags(cli);
  const fixed = settled.given.filter(({ tag }) => tags.has(tag) && immutable?.(tag));
  const why = "it is there, and never moves, as tags.immutable says";
  return {
    name: store.name,
    given: settled.given.filter((one) => !fixed.includes(one)),
    held: [...settled.held, ...fixed.map((one) => ({ ...one, why }))],
  };
}

/** All tags of a repository, with the digests of those that matter; none where there is no such repository yet. */
async function readTags(
  store: Store,
  { tags: made }: MadeTags,
  { signal }: Cli,
): Promise<ReadonlyMap<string, Digest | undefined>> {
  const found = new Map<string, Digest | undefined>();
  try {
    for await (const tag of store.tags({ signal })) found.set(tag, undefined);
  } catch (error) {
    if (!isRegistryError(error, "NAME_UNKNOWN") && !isAbsent(error)) throw error;
  }
  const wanted = new Set([...made.map(({ tag }) => tag), ...newerReleases(made, found.keys()).map(({ tag }) => tag)]);
  await Promise.all(
    [...wanted]
      .filter((tag) => found.has(tag))
      .map(async (tag) => void found.set(tag, (await store.head(tag, { signal }))?.digest)),
  );
  return found;
}
