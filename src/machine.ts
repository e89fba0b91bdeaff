import { homedir } from "node:os";
import { join } from "node:path";
import { credentialChain } from "./auth/chain.ts";
import type { CredentialSource } from "./auth/credential.ts";
import { readHttpHeaders } from "./auth/docker-config-source.ts";
import type { HelperList } from "./auth/helper-list.ts";
import { loginFiles, type Surroundings } from "./auth/login-files.ts";
import { readRegistryJson } from "./auth/registry-json.ts";
import type { ClientOptions } from "./client.ts";
import type { Machine as Examined } from "./doctor/examine.ts";
import { hostsOf, type Hosts } from "./hosts/hosts.ts";
import type { DockerHeaders } from "./hosts/told.ts";
import { apiVariables, registryVariables } from "./provider/environment.ts";
import { systemClock } from "./transport/clock.ts";

/** What the options and the machine's files say of hosts. */
export function machineHosts(options: ClientOptions): Hosts {
  const { hosts, registriesConf, containerdCertsDir, mirrors, onEvent } = options;
  const { env, home, uid } = surroundings(options);
  return hostsOf({
    env,
    home,
    now: () => systemClock.now(),
    registryJson: () => readRegistryJson({ env, home }),
    dockerHeaders: () => headersOfDocker(join(env["DOCKER_CONFIG"] || join(home, ".docker"), "config.json")),
    ...(uid !== undefined && { uid }),
    ...(hosts && { settings: hosts }),
    ...(registriesConf !== undefined && { registriesConf }),
    ...(containerdCertsDir !== undefined && { containerdCertsDir }),
    ...(mirrors !== undefined && { mirrors }),
    ...(onEvent && { onEvent }),
  });
}

/** A file that is not right has no headers: whoever looks for a login there tells what is wrong. */
function headersOfDocker(file: string): DockerHeaders {
  try {
    return { file, headers: readHttpHeaders(file) };
  } catch {
    return { file, headers: {} };
  }
}

/** The helpers that registries.conf names for all hosts; the file is read when they are asked. */
function helpersOf({ files }: Hosts): HelperList {
  return async () => {
    const { credentialHelpers: names } = files.registries();
    return names && { names, origin: "registries.conf: credential-helpers" };
  };
}

/** All places where the client looks for credentials, in its order: those of the options, then those of the environment. */
export function credentialSources(options: ClientOptions, hosts: Hosts): readonly CredentialSource[] {
  const { credentials = [], logins, kubernetes, onEvent } = options;
  return [
    ...credentials,
    ...credentialChain({
      ...surroundings(options),
      services: { registry: registryVariables, api: apiVariables },
      ...(logins && { config: logins }),
      credentialHelpers: helpersOf(hosts),
      ...(kubernetes && { kubernetes }),
      ...(onEvent && { onWarning: (text, host) => onEvent({ type: "warning", host, text }) }),
    }),
  ];
}

/** Where files of logins are looked for. */
export function surroundings({ env = process.env, authFile }: ClientOptions): Surroundings {
  const uid = process.getuid?.();
  return {
    env,
    home: env["HOME"] || homedir(),
    ...(uid !== undefined && { uid }),
    ...(authFile !== undefined && { authFile }),
  };
}

/** The files of this machine that have to do with registries, and what looks whether they are right: for the doctor. */
export function localFiles(options: ClientOptions, { files }: Hosts): Pick<Examined, "logins" | "settings" | "checks"> {
  const { named, own, usual } = loginFiles(surroundings(options));
  const { env, home } = surroundings(options);
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  const conf = env["CONTAINERS_REGISTRIES_CONF"];
  const confs = conf ? [conf] : [join(config, "containers", "registries.conf"), "/etc/containers/registries.conf"];
  return {
    logins: named === undefined ? [own, ...usual] : [named],
    settings: [...confs, "/etc/docker/daemon.json"],
    checks: [() => files.registries(), () => files.daemon(), () => files.containerd()],
  };
}
