import {
  isRegistryError,
  RegistryError,
  type AbilityName,
  type LifecyclePolicy,
  type RepositoryInfo,
} from "../../index.ts";
import type { Run } from "../command.ts";
import { immutabilityWords } from "../render/immutability.ts";
import { fields } from "../render/table.ts";
import { count, formatMoment, formatSize, type Look } from "../render/text.ts";
import { openRepository, type ServedRepository } from "../service-place.ts";

/** All that a service tells of a repository. */
interface Summary extends Omit<RepositoryInfo, "name"> {
  readonly name: string;
  readonly service: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The policy by which images are deleted, without its document. */
  readonly lifecycle?: Pick<LifecyclePolicy, "dialect" | "scope">;
}

export const run: Run<[repository: string]> = async ([place], cli) => {
  const { signal, out, reporter } = cli;
  const at = await openRepository(place, cli);
  const { name, repository, service } = at;
  const info = await service.describeRepository(repository, { signal });
  if (!info) throw noRepository(at);
  const refused: string[] = [];
  const part = async <T>(ability: AbilityName, ask: () => Promise<T>): Promise<T | undefined> => {
    if (service.provider.abilities[ability].how === "impossible") return undefined;
    try {
      return await ask();
    } catch (error) {
      if (!isRegistryError(error) || error.code === "ABORTED") throw error;
      if (error.code !== "UNSUPPORTED") refused.push(sentence(error));
      return undefined;
    }
  };
  const [immutability, lifecycle, labels] = await Promise.all([
    info.immutability ?? part("immutability", () => service.immutability(repository, { signal })),
    part("lifecycle", () => service.lifecycle(repository, { signal })),
    part("labels", () => service.labels(repository, { signal })),
  ]);
  const summary: Summary = {
    ...info,
    name,
    service: service.provider.title,
    ...(immutability && { immutability }),
    ...(lifecycle && { lifecycle: { dialect: lifecycle.dialect, ...(lifecycle.scope && { scope: lifecycle.scope }) } }),
    ...(labels && { labels }),
  };
  await out.print(summary, summaryText);
  for (const line of refused) reporter.say(`warning: ${line}`);
  return refused.length > 0 ? "partly" : "done";
};

/** The error that says a repository is not there. */
export function noRepository({ name, host }: Pick<ServedRepository, "name" | "host">): RegistryError {
  return new RegistryError("NAME_UNKNOWN", `there is no repository ${name}`, { host });
}

function sentence({ message, hint }: RegistryError): string {
  return hint ? `${message}: ${hint}` : message;
}

function summaryText(summary: Summary, look: Look): string {
  const { name, service, immutability, lifecycle, labels } = summary;
  return fields(
    [
      ["Repository", name],
      ["Service", service],
      ["Description", summary.description],
      ["State", summary.state],
      ["Visibility", summary.visibility],
      ["Created", formatMoment(summary.created)],
      ["Updated", formatMoment(summary.updated)],
      ["Holds", holdings(summary)],
      ["Pulls", summary.pulls?.toString()],
      ["Stars", summary.stars?.toString()],
      ["Tags are", immutability && immutabilityWords(immutability)],
      ["Lifecycle", lifecycle && `as ${lifecycle.dialect} has it${scopeWords(lifecycle)}`],
      ["Labels", labels && labelWords(labels)],
    ],
    look,
  );
}

function holdings({ tags, images, size }: Summary): string {
  return [
    tags !== undefined && count(tags, "tag"),
    images !== undefined && count(images, "image"),
    size !== undefined && formatSize(size),
  ]
    .filter((part) => part !== false)
    .join(", ");
}

function scopeWords({ scope }: { readonly scope?: string }): string {
  return scope === undefined ? "" : `, for ${scope}`;
}

function labelWords(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join(", ");
}
