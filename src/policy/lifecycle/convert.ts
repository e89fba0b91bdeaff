import { formatAcr } from "./acr/format.ts";
import { parseAcr } from "./acr/parse.ts";
import { formatArtifactRegistry } from "./artifact-registry/format.ts";
import { parseArtifactRegistry } from "./artifact-registry/parse.ts";
import { requireDocument } from "./check.ts";
import type { LifecycleDialect } from "./dialects.ts";
import { formatEcr } from "./ecr/format.ts";
import { parseEcr } from "./ecr/parse.ts";
import { formatGitlab } from "./gitlab/format.ts";
import { parseGitlab } from "./gitlab/parse.ts";
import { formatHarbor } from "./harbor/format.ts";
import { parseHarbor } from "./harbor/parse.ts";
import { formatQuay } from "./quay/format.ts";
import { parseQuay } from "./quay/parse.ts";
import { formatZot } from "./zot/format.ts";
import { parseZot } from "./zot/parse.ts";
import type { FormatOptions, Formatted, Parsed, Rules } from "./rules.ts";

interface Translation {
  readonly parse: (document: never) => Parsed;
  readonly format: (rules: Rules, options?: FormatOptions) => Formatted;
}

const translations: Readonly<Record<LifecycleDialect, Translation>> = {
  ecr: { parse: parseEcr, format: formatEcr },
  "artifact-registry": { parse: parseArtifactRegistry, format: formatArtifactRegistry },
  acr: { parse: parseAcr, format: formatAcr },
  harbor: { parse: parseHarbor, format: formatHarbor },
  gitlab: { parse: parseGitlab, format: formatGitlab },
  quay: { parse: parseQuay, format: formatQuay },
  zot: { parse: parseZot, format: formatZot },
};

/** Reads a document that is right into rules in no service's terms. */
export function parseLifecycle(dialect: LifecycleDialect, document: unknown): Parsed {
  requireDocument(dialect, document);
  return translations[dialect].parse(document as never);
}

/** Writes rules in a dialect, as far as it can say them; what it cannot say keeps more. */
export function formatLifecycle(dialect: LifecycleDialect, rules: Rules, options?: FormatOptions): Formatted {
  return translations[dialect].format(rules, options);
}

/**
 * Says a policy in another dialect. The result deletes nothing that the policy would not: what the other dialect cannot say
 * is left out or keeps more, and `losses` tells of each. Throws INVALID for a document that its own service would refuse.
 */
export function convertLifecycle(
  from: LifecycleDialect,
  to: LifecycleDialect,
  document: unknown,
  options?: FormatOptions,
): Formatted {
  const { rules, losses } = parseLifecycle(from, document);
  if (from === to) return { document, losses: [] };
  const formatted = formatLifecycle(to, rules, options);
  return { document: formatted.document, losses: [...losses, ...formatted.losses] };
}
