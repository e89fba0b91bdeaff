import { join, type FieldReader } from "../fields.ts";
import { regexFault } from "../regex.ts";

/** Notes what Quay refuses in the auto-prune policies of a repository or organization, which are set one by one. */
export function checkQuay(document: unknown, reader: FieldReader): void {
  const top = reader.object(document, "", ["policies"]);
  const policies = top && reader.list(top["policies"], "policies");
  if (policies?.length === 0) reader.fault("policies", "is empty: to have none, delete them");
  policies?.forEach((value, i) => checkPolicy(value, `policies[${i}]`, reader));
}

function checkPolicy(value: unknown, at: string, reader: FieldReader): void {
  const policy = reader.object(value, at, ["uuid", "method", "value", "tagPattern", "tagPatternMatches"]);
  if (!policy) return;
  const method = reader.choice(policy["method"], join(at, "method"), ["number_of_tags", "creation_date"]);
  if (method === "number_of_tags") reader.integer(policy["value"], join(at, "value"), 1);
  if (method === "creation_date" && !/^\d{1,9}[smhdw]$/.test(String(policy["value"]))) {
    reader.fault(join(at, "value"), 'has to be a number and one of s, m, h, d and w: "7d"');
  }
  const { tagPattern, tagPatternMatches } = policy;
  const pattern =
    tagPattern === undefined || tagPattern === null ? undefined : reader.text(tagPattern, join(at, "tagPattern"));
  const fault = pattern === undefined ? undefined : regexFault(pattern);
  if (fault !== undefined) reader.fault(join(at, "tagPattern"), fault);
  if (tagPatternMatches !== undefined && tagPatternMatches !== null) {
    reader.flag(tagPatternMatches, join(at, "tagPatternMatches"));
  }
}
