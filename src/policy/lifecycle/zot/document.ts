import { isObject } from "../../../oci/descriptor.ts";
import { doublestarRegex } from "../doublestar.ts";
import { notGlob, readRegex } from "../regex.ts";

/** A configuration of zot, or the `retention` of one, as far as it is read here. */
export type ZotDocument = ZotRetention | { readonly storage: ZotStorage & { readonly subPaths?: ZotSubPaths } };

type ZotSubPaths = Readonly<Record<string, ZotStorage>>;

/** A time as Go writes it (`168h`), or nanoseconds. */
export type GoDuration = string | number;

interface ZotStorage {
  readonly gc?: boolean;
  readonly gcDelay?: GoDuration;
  readonly retention?: ZotRetention;
}

export interface ZotRetention {
  readonly dryRun?: boolean;
  readonly delay?: GoDuration;
  readonly policies?: readonly ZotPolicy[];
}

export interface ZotPolicy {
  readonly repositories: readonly string[];
  readonly deleteReferrers?: boolean;
  readonly deleteUntagged?: boolean;
  readonly keepTags?: readonly KeepTags[];
  readonly keepUntagged?: KeepRules;
}

export interface KeepRules {
  readonly pulledWithin?: GoDuration;
  readonly pushedWithin?: GoDuration;
  readonly mostRecentlyPushedCount?: number;
  readonly mostRecentlyPulledCount?: number;
}

export interface KeepTags extends KeepRules {
  readonly patterns?: readonly string[];
}

/** What is collected by one retention: all repositories, or those of a route (`/a` has `a/...`). */
export interface ZotStore {
  readonly at: string;
  readonly route?: string;
  readonly collects: boolean;
  readonly dryRun: boolean;
  /** Seconds that what has no tag waits. */
  readonly delay: number;
  readonly policies: readonly (ZotPolicy & { readonly at: string })[];
}

/** The stores of a document, the main one first. */
export function storesIn(document: ZotDocument): readonly ZotStore[] {
  if (!("storage" in document)) return [storeOf({ retention: document }, "", true)];
  const { subPaths = {}, ...main } = document.storage;
  const below = Object.entries(subPaths).map(([route, storage]) => ({
    ...storeOf(storage, `storage.subPaths.${JSON.stringify(route)}.retention`, false),
    route,
  }));
  return [storeOf(main, "storage.retention", true), ...below];
}

/** zot waits for an hour, unless it is told otherwise, and collects by itself in the main store alone. */
function storeOf({ gc, gcDelay = "1h", retention = {} }: ZotStorage, at: string, collects: boolean): ZotStore {
  const { dryRun = false, delay = gcDelay, policies = [] } = retention;
  const place = at === "" ? "policies" : `${at}.policies`;
  return {
    at,
    collects: gc ?? collects,
    dryRun,
    delay: secondsOf(delay),
    policies: policies.map((policy, i) => ({ ...policy, at: `${place}[${i}]` })),
  };
}

/** The store that a repository is in. */
export function storeFor(document: ZotDocument, repository: string): ZotStore {
  const stores = storesIn(document);
  const [first, ...below] = repository.split("/");
  const route = below.length > 0 ? `/${first}` : "/";
  return stores.find((store) => store.route === route) ?? stores[0]!;
}

/** The first policy with a glob that the repository fits. */
export function policyFor({ policies }: ZotStore, repository: string): ZotStore["policies"][number] | undefined {
  return policies.find(({ repositories }) =>
    repositories.some((glob) => readRegex(`^(?:${doublestarRegex(glob)})$`, glob, notGlob).test(repository)),
  );
}

/** Whether anything is kept by these; a count of 0 is none, and a time of 0 is one that keeps nothing. */
export function hasRules(rules: KeepRules = {}): boolean {
  const { pulledWithin, pushedWithin, mostRecentlyPushedCount, mostRecentlyPulledCount } = rules;
  return (
    pulledWithin !== undefined ||
    pushedWithin !== undefined ||
    Boolean(mostRecentlyPushedCount) ||
    Boolean(mostRecentlyPulledCount)
  );
}

const units = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 } as const;
const durationForm = /^(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/;

/** Whether Go reads this as a time that is not negative. */
export function isDuration(value: unknown): value is GoDuration {
  return typeof value === "number"
    ? Number.isInteger(value) && value >= 0
    : typeof value === "string" && value.length < 50 && durationForm.test(value);
}

/** Seconds of `1h30m`. */
export function secondsOf(value: GoDuration): number {
  if (typeof value === "number") return value / 1e9;
  const parts = value.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * units[unit as keyof typeof units], 0);
}

/** A time that Go reads as so many seconds, in whole hours where it can be. */
export function durationOf(seconds: number): string {
  const rounded = Math.ceil(seconds);
  return rounded % 3600 === 0 && rounded > 0 ? `${rounded / 3600}h` : `${rounded}s`;
}

/** Whether a document looks like one of zot: the whole configuration, or its retention. */
export function looksLikeZot(document: Readonly<Record<string, unknown>>): boolean {
  const { policies } = document;
  const first: unknown = Array.isArray(policies) ? policies[0] : undefined;
  return "storage" in document || (isObject(first) && "repositories" in first);
}
