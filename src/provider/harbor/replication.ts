import type { Call } from "../../store/store.ts";
import { textOf } from "../answers.ts";
import type { ReplicationRule } from "../service.ts";
import type { OpenHarbor } from "./api.ts";
import { defined, fieldsIn, objects, textIn, type Fields } from "./fields.ts";

/** The replication policies, which only system administrators see. */
export async function* harborReplication(open: OpenHarbor, call: Call = {}): AsyncGenerator<ReplicationRule, void> {
  const pages = open("", "a system administrator").lists("/replication/policies", {
    ...call,
    what: "list the replication policies",
  });
  for await (const page of pages) {
    for (const policy of page) {
      const rule = ruleOf(policy);
      if (rule) yield rule;
    }
  }
}

function ruleOf(policy: Fields): ReplicationRule | undefined {
  const name = textIn(policy, "name");
  if (name === undefined) return undefined;
  const namespace = textIn(policy, "dest_namespace");
  const to = endOf(fieldsIn(policy, "dest_registry"));
  return defined<ReplicationRule>({
    name,
    from: endOf(fieldsIn(policy, "src_registry")),
    to: namespace === undefined ? to : `${to}/${namespace}`,
    filter: filterOf(objects(policy["filters"])),
    enabled: policy["enabled"] === true,
    trigger: triggerOf(fieldsIn(policy, "trigger")),
  });
}

/** The end that is Harbor itself has the number 0. */
function endOf(registry: Fields): string {
  if (registry["id"] === 0 || registry["id"] === undefined) return "this registry";
  const [name, url] = [textIn(registry, "name"), textIn(registry, "url")];
  if (name === undefined || url === undefined) return name ?? url ?? "another registry";
  return `${name} (${url})`;
}

function filterOf(filters: readonly Fields[]): string | undefined {
  const told = filters.flatMap((filter) => {
    const [type, value] = [textIn(filter, "type"), filter["value"]];
    const texts = [value].flat().flatMap((text) => textOf(text) ?? []);
    if (type === undefined || texts.length === 0) return [];
    return [`${type}${filter["decoration"] === "excludes" ? " not" : ""} ${texts.join(", ")}`];
  });
  return told.length > 0 ? told.join("; ") : undefined;
}

function triggerOf(trigger: Fields): string | undefined {
  const type = textIn(trigger, "type");
  const cron = textIn(fieldsIn(trigger, "trigger_settings"), "cron");
  return type && cron ? `${type} ${cron}` : type;
}
