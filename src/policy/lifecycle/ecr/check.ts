import { join, type FieldReader, type Fields } from "../fields.ts";

const selectionKeys = [
  "tagStatus",
  "tagPatternList",
  "tagPrefixList",
  "storageClass",
  "countType",
  "countUnit",
  "countNumber",
] as const;
const countTypes = ["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"] as const;
/** Characters of the document as JSON (PutLifecyclePolicy, lifecyclePolicyText). */
const length = { least: 100, most: 30_720 };
/** Rules of one policy, by the service's quotas. */
export const mostRules = 50;
/** Days that an archived image has to stay so. */
const archivedAtLeast = 90;

/** What is told of a rule that others have to fit to. */
interface Outline {
  readonly at: string;
  readonly priority?: number | undefined;
  readonly tagStatus?: string | undefined;
  readonly storageClass: string;
  /** Its tag prefixes, in one text. */
  readonly prefixes?: string;
}

/** Notes what PutLifecyclePolicy refuses (Amazon ECR user guide, "Lifecycle policy properties"). */
export function checkEcr(document: unknown, reader: FieldReader): void {
  const { object, list, fault } = reader;
  const top = object(document, "", ["rules"]);
  const rules = top && list(top["rules"], "rules");
  if (!rules) return;
  if (rules.length === 0) fault("rules", "is empty: to have no policy, delete it");
  if (rules.length > mostRules) fault("rules", `has ${rules.length} rules; a policy has ${mostRules} at most`);
  const outlines = rules.flatMap((rule, i) => checkRule(rule, `rules[${i}]`, reader) ?? []);
  checkTogether(outlines, reader);
  const size = JSON.stringify(document).length;
  if (reader.faults.length === 0 && (size < length.least || size > length.most)) {
    fault("", `has ${size} characters; it has to be ${length.least} to ${length.most}`);
  }
}

function checkRule(value: unknown, at: string, reader: FieldReader): Outline | undefined {
  const rule = reader.object(value, at, ["rulePriority", "description", "selection", "action"]);
  if (!rule) return undefined;
  const priority = reader.integer(rule["rulePriority"], join(at, "rulePriority"), 1);
  if (rule["description"] !== undefined) reader.text(rule["description"], join(at, "description"));
  const selection = reader.object(rule["selection"], join(at, "selection"), selectionKeys);
  const action = reader.object(rule["action"], join(at, "action"), ["type", "targetStorageClass"]);
  if (!selection) return undefined;
  const tagStatus = checkTags(selection, join(at, "selection"), reader);
  const countType = checkCount(selection, join(at, "selection"), reader);
  if (action) checkAction(action, countType, at, selection, reader);
  const prefixes = selection["tagPrefixList"];
  return {
    at,
    priority,
    tagStatus,
    storageClass: selection["storageClass"] === "archive" ? "archive" : "standard",
    ...(Array.isArray(prefixes) && { prefixes: prefixes.map(String).sort().join(" ") }),
  };
}

function checkTags(selection: Fields, at: string, reader: FieldReader): string | undefined {
  const status = reader.choice(selection["tagStatus"], join(at, "tagStatus"), ["tagged", "untagged", "any"]);
  const given = (["tagPatternList", "tagPrefixList"] as const).filter((key) => selection[key] !== undefined);
  if (status === "tagged" && given.length !== 1) {
    reader.fault(at, `has to have one of tagPatternList and tagPrefixList, as tagStatus is tagged`);
  }
  for (const key of given) {
    const place = join(at, key);
    if (status !== undefined && status !== "tagged") reader.fault(place, `is only for tagStatus tagged`);
    const texts = reader.texts(selection[key], place);
    if (texts?.length === 0) reader.fault(place, "is empty");
    texts?.forEach((text, i) => checkPattern(text, key === "tagPatternList", `${place}[${i}]`, reader));
  }
  return status;
}

function checkPattern(text: string, wildcards: boolean, at: string, { fault }: FieldReader): void {
  if (!(wildcards ? /^[\w.*-]{1,128}$/ : /^[\w.-]{1,128}$/).test(text)) {
    fault(at, `is nothing that a tag can be like: ${JSON.stringify(text)}`);
  }
  if (text.split("*").length > 5) fault(at, "has more than 4 wildcards (*)");
}

function checkCount(selection: Fields, at: string, reader: FieldReader): string | undefined {
  const type = reader.choice(selection["countType"], join(at, "countType"), countTypes);
  const archived = type === "sinceImageTransitioned";
  reader.integer(selection["countNumber"], join(at, "countNumber"), archived ? archivedAtLeast : 1);
  const unit = join(at, "countUnit");
  if (type === "imageCountMoreThan") {
    if (selection["countUnit"] !== undefined) reader.fault(unit, "is only for ages, and imageCountMoreThan is none");
  } else if (type !== undefined) reader.choice(selection["countUnit"], unit, ["days"]);
  const storageClass = selection["storageClass"];
  if (archived || storageClass !== undefined) {
    reader.choice(storageClass, join(at, "storageClass"), [archived ? "archive" : "standard"]);
  }
  return type;
}

function checkAction(
  action: Fields,
  countType: string | undefined,
  at: string,
  selection: Fields,
  reader: FieldReader,
): void {
  const place = join(at, "action");
  const type = reader.choice(action["type"], join(place, "type"), ["expire", "transition"]);
  const target = join(place, "targetStorageClass");
  if (type === "transition") {
    reader.choice(action["targetStorageClass"], target, ["archive"]);
    if (selection["storageClass"] === "archive") reader.fault(place, "archives what is archived already");
  } else if (action["targetStorageClass"] !== undefined) reader.fault(target, "is only for transition");
  if (type === "expire" && countType === "sinceImagePulled") {
    reader.fault(join(place, "type"), "cannot be expire: by the last pull, ECR only archives (transition)");
  }
}

function checkTogether(rules: readonly Outline[], { fault }: FieldReader): void {
  rules.forEach((rule, i) => {
    const before = rules.slice(0, i);
    const peers = before.filter(({ storageClass }) => storageClass === rule.storageClass);
    const at = join(rule.at, "rulePriority");
    const double = before.find(({ priority }) => priority !== undefined && priority === rule.priority);
    if (double) fault(at, `is that of ${double.at} too: each rule has a priority of its own`);
    if (rule.tagStatus === "untagged" || rule.tagStatus === "any") {
      const same = peers.find(({ tagStatus }) => tagStatus === rule.tagStatus);
      if (same) fault(rule.at, `selects ${rule.tagStatus} as ${same.at} does: only one rule may`);
    }
    const twin = peers.find(({ prefixes }) => prefixes !== undefined && prefixes === rule.prefixes);
    if (twin) fault(`${rule.at}.selection.tagPrefixList`, `is that of ${twin.at} too`);
    const later = rules.find(
      ({ storageClass, priority = 0, tagStatus }) =>
        tagStatus !== "any" && storageClass === rule.storageClass && priority > (rule.priority ?? Infinity),
    );
    if (rule.tagStatus === "any" && later) {
      fault(at, `has to be the highest, as tagStatus is any; ${later.at} has ${later.priority}`);
    }
  });
}
