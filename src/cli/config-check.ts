import { apiHost, isRegistryError, type Config, type ConfigFindings, type Fault } from "../index.ts";
import { immutableBy } from "../policy/index.ts";
import { faultAt, stageFaultsIn } from "./config-fault.ts";
import { configuredHosts, readAuthorities } from "./configured.ts";
import { ofConfiguration } from "./immutable.ts";
import { expectCluster } from "./in-use.ts";

/** What commands would refuse in the sections that they read. */
export function checkSections(config: Config): ConfigFindings {
  const { tags, inUse } = config.values;
  const immutable = (tags?.immutable ?? []).flatMap((text) =>
    attempt(config, ["tags", "immutable"], () => ofConfiguration(() => immutableBy([text]))),
  );
  // An option may name the cluster.
  const warnings = attempt(config, ["inUse", "namespaces"], () =>
    expectCluster(inUse?.namespaces ?? [], inUse?.kubernetes ?? []),
  );
  return { faults: [...stageFaultsIn(config), ...immutable], warnings };
}

/** The same, and what is wrong with the files of certificates that the configuration names. */
export function checkMachine(config: Config): ConfigFindings {
  const { faults, warnings } = checkSections(config);
  const hosts = configuredHosts(config, { hosts: new Map(), ca: [] });
  const certificates = [
    ...attempt(config, ["caFiles"], () => readAuthorities([], config)),
    ...Object.keys(config.values.hosts ?? {}).flatMap((name) =>
      attempt(config, ["hosts", name], () => hosts[apiHost(name)]),
    ),
  ];
  return { faults: [...faults, ...certificates], warnings };
}

function attempt(config: Config, path: readonly string[], work: () => unknown): readonly Fault[] {
  try {
    work();
    return [];
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return [faultAt(config, path, error)];
  }
}
