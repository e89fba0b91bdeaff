import type { Client } from "../client.ts";
import { isAbort } from "../graph/sides.ts";
import type { Digest } from "../oci/digest.ts";
import { isAbsent } from "../oci/error.ts";
import { parseReference } from "../oci/reference.ts";
import { readRegex } from "../policy/lifecycle/regex.ts";
import { versionIn } from "../policy/promote/template.ts";
import type { Immutability } from "../provider/service.ts";
import { exceptionsAsRegex } from "../provider/tag-patterns.ts";
import type { Call, Store } from "../store/store.ts";
import { releaseOf } from "./release.ts";

/** A repository that tags are set in. */
export interface Place {
  /** `registry.example/prod/app`. */
  readonly repository: string;
  readonly store: Store;
  /** The version of an image there, which one of its tags names; each image is asked about once. */
  release(digest: Digest, tag: string): Promise<string | undefined>;
  /** Who says that a tag must not move; undefined where nobody does, as far as can be told. */
  immutable(tag: string): Promise<string | undefined>;
  /** Whether it has to be created before a push: its service wants that, and it is not there. */
  mustCreate(): Promise<boolean>;
}

/** Whether the configuration says that a tag never moves. */
export type IsImmutable = (tag: string) => boolean;

/** Opens repositories, each once. */
export function places(client: Client, never: IsImmutable | undefined, call: Call = {}): (repository: string) => Place {
  const known = new Map<string, Place>();
  return (repository) => {
    const place = known.get(repository) ?? openPlace(client, repository, never, call);
    known.set(repository, place);
    return place;
  };
}

function openPlace(client: Client, repository: string, never: IsImmutable | undefined, call: Call): Place {
  const reference = parseReference(repository);
  const { store } = client.open({ transport: "registry", reference });
  const service = once(() => unlessRefused(call, () => client.service(reference.registry, call)));
  const told = once(async () => {
    const open = await service();
    if (!open || open.provider.abilities.immutability.how === "impossible") return undefined;
    const immutability = await unlessRefused(call, () => open.immutability(reference.repository, call));
    return immutability && { immutability, title: open.provider.title };
  });
  const releases = new Map<Digest, Promise<string | undefined>>();
  return {
    repository,
    store,
    async release(digest, tag) {
      if (versionIn(tag)) return tag;
      const known = releases.get(digest) ?? releaseOf(store, digest, undefined, call);
      releases.set(digest, known);
      return known;
    },
    async immutable(tag) {
      if (never?.(tag)) return "the configuration";
      const said = await told();
      return said && isImmutable(tag, said.immutability) ? said.title : undefined;
    },
    async mustCreate() {
      const open = await service();
      if (!open) return false;
      const { quirks, abilities } = open.provider;
      if (quirks.createOnPush === "yes" || abilities.createRepository.how === "impossible") return false;
      return !(await isThere(store, call));
    },
  };
}

async function isThere(store: Store, call: Call): Promise<boolean> {
  try {
    for await (const _tag of store.tags(call)) break;
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

function isImmutable(tag: string, rules: Immutability): boolean {
  const isException = exceptionsAsRegex(rules).some((regex) => readRegex(regex).test(tag));
  return (rules.tags === "immutable") !== isException;
}

/** What a service tells; undefined where it does not: its registry has the last word all the same. */
async function unlessRefused<T>({ signal }: Call, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isAbort(error) || signal?.aborted) throw error;
    return undefined;
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => (done ??= work());
}
