import { faultyDocument, type Document } from "../document/document.ts";
import type { Fault } from "../document/fault.ts";
import { isDigest } from "../oci/digest.ts";
import { parseLocation } from "../oci/location.ts";
import type { Plan, Step } from "./plan.ts";

/**
 * Throws INVALID where a plan cannot be meant: an id is there twice, a step comes after one that does not stand before it,
 * or names another place than its kind is for, or another digest in its place than beside it.
 */
export function checkSteps(document: Document, { steps }: Plan): void {
  const before = new Set<string>();
  const faults = steps.flatMap((step, i): Fault[] => {
    const { id, after = [] } = step;
    const path = ["steps", i] as const;
    const twice = before.has(id) ? [{ path: [...path, "id"], message: `${id} is there twice` }] : [];
    const lost = after.flatMap((other, j) =>
      before.has(other) ? [] : [{ path: [...path, "after", j], message: `there is no step ${other} before this one` }],
    );
    before.add(id);
    const wrong = placesOf(step).flatMap(({ key, fault }) =>
      fault === undefined ? [] : [{ path: [...path, key], message: fault }],
    );
    return [...twice, ...lost, ...wrong];
  });
  if (faults.length > 0) throw faultyDocument(document, faults);
}

interface Place {
  readonly key: "at" | "from";
  readonly fault: string | undefined;
}

/** What is wrong with the places of a step, if anything is. */
function placesOf(step: Step): readonly Place[] {
  const at = (fault: string | undefined): readonly Place[] => [{ key: "at", fault }];
  switch (step.do) {
    case "delete tag":
    case "tag":
      return at(faultOf(step.at, "tag"));
    case "delete manifest":
    case "attach":
    case "restore":
      return at(faultOf(step.at, "digest", step.digest));
    case "copy": {
      // Of some platforms of an index another comes to be.
      const put = step.platforms ? undefined : step.digest;
      return [...at(faultOf(step.at, "image", put)), { key: "from", fault: faultOfSource(step) }];
    }
    default:
      return at(faultOf(step.at, "repository"));
  }
}

/** What a source in a bundle is called, is the bundle's. */
const faultOfSource = ({ from, digest }: { readonly from: string; readonly digest: string }): string | undefined => {
  const named = /@(sha\d+:[0-9a-f]+)$/.exec(from)?.[1];
  return named === undefined || named === digest ? undefined : `names another image than digest: ${digest}`;
};

/** Why a place is none of a kind; with a digest that it has to be of, or undefined where any will do. */
function faultOf(text: string, kind: "tag" | "digest" | "image" | "repository", wanted?: string): string | undefined {
  let found: ReturnType<typeof refsOf>;
  try {
    found = refsOf(text);
  } catch (error) {
    return (error as Error).message;
  }
  const { tag, digest, isLocal } = found;
  if (kind === "repository") return (tag ?? digest) ? "has to name a repository alone" : undefined;
  if (tag !== undefined && digest !== undefined) return "has both a tag and a digest: name the one or the other";
  if (kind === "tag" && tag === undefined) return "has to name a tag";
  if (kind === "digest" && digest === undefined) return "has to end in @DIGEST";
  if (kind === "image" && !isLocal && (tag ?? digest) === undefined) return "has to name a tag, or a digest";
  if (digest === undefined || wanted === undefined || digest === wanted) return undefined;
  return `names another image than digest: ${wanted}`;
}

function refsOf(text: string): { readonly tag?: string; readonly digest?: string; readonly isLocal: boolean } {
  const location = parseLocation(text);
  if (location.transport === "registry") return { ...location.reference, isLocal: false };
  const { ref } = location;
  if (ref === undefined) return { isLocal: true };
  return { ...(isDigest(ref) ? { digest: ref } : { tag: ref }), isLocal: true };
}
