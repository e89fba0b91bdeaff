import { formatAcr } from "./acr/format.ts";
import { parseAcr } from "./acr/parse.ts";
import { formatArtifactRegistry } from "./artifact-registry/format.ts";
import { parseArtifactRegistry } from "./artifact-registry/parse.ts";
import { requireDocument } from "./check.ts";
import { formatEcr } from "./ecr/format.ts";
import { parseEcr } from "./ecr/parse.ts";
import type { LifecycleForm } from "./forms.ts";
import { formatGantry } from "./gantry/format.ts";
import { parseGantry } from "./gantry/parse.ts";
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

const translations: Readonly<Record<LifecycleForm, Translation>> = {
  ecr: { parse: parseEcr, format: formatEcr },
  "artifact-registry": { parse: parseArtifactRegistry, format: formatArtifactRegistry },
  acr: { parse: parseAcr, format: formatAcr },
  harbor: { parse: parseHarbor, format: formatHarbor },
  gitlab: { parse: parseGitlab, format: formatGitlab },
  quay: { parse: parseQuay, format: formatQuay },
  zot: { parse: parseZot, format: formatZot },
  gantry: { parse: parseGantry, format: formatGantry },
};

/** Reads a document that is right into rules in no service's terms; one of Gantry's own has been checked. */
export function parseLifecycle(form: LifecycleForm, document: unknown): Parsed {
  if (form !== "gantry") requireDocument(form, document);
  return translations[form].parse(document as never);
}

/** Writes rules in a dialect, as far as it can say them; what it cannot say keeps more. */
export function formatLifecycle(form: LifecycleForm, rules: Rules, options?: FormatOptions): Formatted {
  return translations[form].format(rules, options);
}

/**
 * Says a policy in another form. The result deletes nothing that the policy would not: what the other form cannot say is left
 * out or keeps more, and `losses` tells of each. Throws INVALID for a document that its own service would refuse; one of
 * Gantry's own is as `parseRetention` gives it.
 */
export function convertLifecycle(
  from: LifecycleForm,
  to: LifecycleForm,
  document: unknown,
  options?: FormatOptions,
): Formatted {
  const { rules, losses } = parseLifecycle(from, document);
  if (from === to) return { document, losses: [] };
  const formatted = formatLifecycle(to, rules, options);
  return { document: formatted.document, losses: [...losses, ...formatted.losses] };
}
