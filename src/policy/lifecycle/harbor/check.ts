import { isObject } from "../../../oci/descriptor.ts";
import { join, type FieldReader, type Fields } from "../fields.ts";
import { mostRules, templateNames, templates, type Template } from "./templates.ts";

const ruleKeys = [
  "id",
  "priority",
  "disabled",
  "action",
  "template",
  "params",
  "tag_selectors",
  "scope_selectors",
] as const;

const immutableKeys = [...ruleKeys, "project_id"] as const;

/** Notes what Harbor refuses in a project's retention policy (`scope` may be missing: it is the project's), and in its immutability rules. */
export function checkHarbor(document: unknown, reader: FieldReader): void {
  if (!isObject(document) || !("retention" in document)) {
    checkRetention(document, "", reader);
    return;
  }
  reader.object(document, "", ["retention", "immutable"]);
  checkRetention(document["retention"], "retention", reader);
  const rules = document["immutable"] === undefined ? [] : reader.list(document["immutable"], "immutable");
  rules?.forEach((rule, i) => checkImmutable(rule, `immutable[${i}]`, reader));
}

function checkRetention(value: unknown, at: string, reader: FieldReader): void {
  const policy = reader.object(value, at, ["id", "algorithm", "rules", "trigger", "scope"]);
  if (!policy) return;
  reader.choice(policy["algorithm"], join(at, "algorithm"), ["or"]);
  checkTrigger(policy["trigger"], join(at, "trigger"), reader);
  if (policy["scope"] !== undefined) {
    const place = join(at, "scope");
    const scope = reader.object(policy["scope"], place, ["level", "ref"]);
    if (scope) reader.choice(scope["level"], join(place, "level"), ["project"]);
    if (scope) reader.integer(scope["ref"], join(place, "ref"), 1);
  }
  const rules = reader.list(policy["rules"], join(at, "rules"));
  if (rules && rules.length > mostRules) {
    reader.fault(join(at, "rules"), `has ${rules.length} rules; a project has ${mostRules} at most`);
  }
  rules?.forEach((rule, i) => checkRule(rule, `${join(at, "rules")}[${i}]`, reader));
}

function checkImmutable(value: unknown, at: string, reader: FieldReader): void {
  const rule = reader.object(value, at, immutableKeys);
  if (!rule) return;
  if (rule["disabled"] !== undefined) reader.flag(rule["disabled"], join(at, "disabled"));
  checkAllSelectors(rule, at, reader);
  const tags = rule["tag_selectors"];
  if (Array.isArray(tags) && tags.length > 1) {
    reader.fault(`${join(at, "tag_selectors")}[1]`, "is passed over: of an immutability rule, Harbor reads the first");
  }
}

function checkTrigger(value: unknown, at: string, reader: FieldReader): void {
  const trigger = reader.object(value, at, ["kind", "settings", "references"]);
  if (!trigger) return;
  reader.choice(trigger["kind"], join(at, "kind"), ["Schedule"]);
  const place = join(at, "settings");
  const settings = reader.object(trigger["settings"], place);
  const cron = settings && reader.text(settings["cron"], join(place, "cron"));
  if (cron !== undefined && cron !== "" && !/^0(?: +[\d*/,?LW#A-Za-z-]+){5}$/.test(cron.trim())) {
    reader.fault(join(place, "cron"), 'has to have six fields, the seconds 0: "0 0 0 * * *"; "" for never');
  }
}

function checkRule(value: unknown, at: string, reader: FieldReader): void {
  const rule = reader.object(value, at, ruleKeys);
  if (!rule) return;
  reader.choice(rule["action"], join(at, "action"), ["retain"]);
  if (rule["disabled"] !== undefined) reader.flag(rule["disabled"], join(at, "disabled"));
  const template = reader.choice(rule["template"], join(at, "template"), templateNames);
  if (template) checkParams(rule["params"], template, join(at, "params"), reader);
  checkAllSelectors(rule, at, reader);
}

function checkAllSelectors(rule: Fields, at: string, reader: FieldReader): void {
  checkSelectors(rule["tag_selectors"], ["matches", "excludes"], join(at, "tag_selectors"), reader);
  const scopes = reader.object(rule["scope_selectors"], join(at, "scope_selectors"), ["repository"]);
  const place = join(join(at, "scope_selectors"), "repository");
  if (scopes) checkSelectors(scopes["repository"], ["repoMatches", "repoExcludes"], place, reader);
}

function checkParams(value: unknown, template: Template, at: string, reader: FieldReader): void {
  if (value === undefined || value === null) return;
  const params = reader.object(value, at);
  if (!params) return;
  if (params[template] !== undefined) reader.integer(params[template], join(at, template), 0, templates[template].most);
  else if (template !== "always" && Object.keys(params).length > 0) {
    const name = Object.keys(params)[0]!;
    const instead = `Harbor would pass over it and take ${templates[template].default}`;
    reader.fault(join(at, name), `is not the parameter of this template, which is ${template}; ${instead}`);
  }
}

function checkSelectors(value: unknown, decorations: readonly string[], at: string, reader: FieldReader): void {
  const selectors = reader.list(value, at);
  if (selectors?.length === 0) reader.fault(at, "is empty: to mean all, say **");
  selectors?.forEach((item, i) => {
    const place = `${at}[${i}]`;
    const selector = reader.object(item, place, ["kind", "decoration", "pattern", "extras"]);
    if (!selector) return;
    reader.choice(selector["kind"], join(place, "kind"), ["doublestar"]);
    reader.choice(selector["decoration"], join(place, "decoration"), decorations);
    checkPattern(selector, place, reader);
    checkExtras(selector, place, reader);
  });
}

function checkPattern(selector: Fields, at: string, reader: FieldReader): void {
  const pattern = reader.text(selector["pattern"], join(at, "pattern"));
  if (pattern === undefined) return;
  if (pattern === "") reader.fault(join(at, "pattern"), "is empty: to mean all, say **");
  if (/^[^{]*,/.test(pattern)) reader.fault(join(at, "pattern"), "has a comma: several are written {a,b}");
  const opened = pattern.split("{").length;
  if (opened !== pattern.split("}").length) reader.fault(join(at, "pattern"), "has a brace that is not closed");
}

function checkExtras(selector: Fields, at: string, reader: FieldReader): void {
  const { extras } = selector;
  if (extras === undefined || extras === "") return;
  const place = join(at, "extras");
  const text = reader.text(extras, place);
  if (text === undefined) return;
  try {
    if (isObject(JSON.parse(text))) return;
  } catch {
    // It is told below.
  }
  reader.fault(place, 'has to be a text with JSON in it: "{\\"untagged\\":true}"');
}
