import type { IncomingMessage } from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import { connect as connectTo } from "node:net";
import { onTestFinished } from "vitest";
import { authenticate } from "../../src/auth/authenticate.ts";
import type { CredentialSource } from "../../src/auth/credential.ts";
import { userPassword } from "../../src/auth/credential.ts";
import type { DiagnoseOptions, DoctorContext } from "../../src/doctor/context.ts";
import { diagnose } from "../../src/doctor/diagnose.ts";
import type { CheckName, Diagnosis } from "../../src/doctor/diagnosis.ts";
import { isRegistryError, RegistryError } from "../../src/oci/error.ts";
import { identify as byFingerprint } from "../../src/provider/fingerprints.ts";
import { settingsByHost, type HostSettings } from "../../src/transport/host-settings.ts";
import { redirect } from "../../src/transport/redirect.ts";
import { scheme } from "../../src/transport/scheme.ts";
import { compose, type Transport } from "../../src/transport/transport.ts";
import { wire } from "../../src/transport/wire.ts";
import { answer, listen, type Listening } from "../transport/listen.ts";
import { authority, good, key } from "./certificates.ts";

/** What a server of a test says to a request; nothing leaves it without an answer. */
export interface Said {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

export type Script = (method: string, path: string, request: IncomingMessage) => Said | undefined;

export const image: string = `sha256:${"a".repeat(64)}`;
export const challenge = 'Bearer realm="https://auth.example/token",service="registry.example"';

/** A registry with one image, app:1, that wants tokens; a script goes before it, path by path. */
export function healthy(script: Script = () => undefined): Script {
  return (method, path, request) => {
    const own = script(method, path, request);
    if (own) return own;
    if (path.startsWith("/token")) return { status: 200, body: JSON.stringify({ token: "opaque", expires_in: 300 }) };
    if (request.headers.authorization === undefined)
      return {
        status: 401,
        headers: { "www-authenticate": challenge, "docker-distribution-api-version": "registry/2.0" },
      };
    if (path === "/v2/app/manifests/1")
      return {
        status: 200,
        headers: { "docker-content-digest": image, "content-type": "application/vnd.oci.image.manifest.v1+json" },
      };
    return path === "/v2/" ? { status: 200 } : { status: 404 };
  };
}

/** What has to be told of a page of some web server. */
export const page = "<!DOCTYPE html><html><body>Welcome</body></html>";

/** What a server is asked, as `METHOD /path`, with ` +login` where something went along. */
export interface Patient {
  readonly log: readonly string[];
  readonly server: Listening;
  readonly diagnose: (target?: string, options?: DiagnoseOptions) => Promise<readonly Diagnosis[]>;
}

export interface PatientOptions {
  readonly settings?: HostSettings;
  readonly login?: string;
  readonly credentials?: CredentialSource;
  readonly tls?: ServerOptions;
  readonly env?: Readonly<Record<string, string>>;
  readonly identify?: NonNullable<DoctorContext["identify"]>;
}

/**
 * A server that stands for every host of the world, in this process: for the public `registry.example`, which is not
 * this machine to a client, and for the token service. Names are not looked up, connections all lead to it.
 */
export async function patient(script: Script, options: PatientOptions = {}): Promise<Patient> {
  const { settings, tls, login, credentials, env = {}, identify = byFingerprint } = options;
  const log: string[] = [];
  const server = await listen(
    (request, response) => {
      const { method = "", url = "", headers } = request;
      log.push(`${method} ${url}${headers.authorization === undefined ? "" : " +login"}`);
      const said = script(method, url, request);
      if (said) answer(response, said.status, said.body, said.headers);
    },
    createSecureServer({ key, cert: good, ...tls }),
  );
  onTestFinished(() => server[Symbol.asyncDispose]());
  const settingsOf = settingsByHost({ "registry.example": { tls: { ca: authority }, ...settings } });
  const isInsecure = (host: string): boolean => Boolean(settingsOf(host).insecure || settingsOf(host).plainHttp);
  const network = compose(ledTo(server.url), scheme({ isInsecure }));
  const chosen = credentials ?? loginSource(login);
  const transport = compose(network, redirect({ isInsecure }), authenticate({ credentials: chosen, isInsecure }));
  const port = Number(server.url.port);
  return {
    log,
    server,
    diagnose: (target = "registry.example/app:1", more = {}) => {
      const context = { settingsOf, network, transport, credentials: chosen, proxyEnv: env, identify };
      return Array.fromAsync(diagnose(target, context, { ...elsewhere(port), timeout: 5000, ...more }));
    },
  };
}

/** A login of the form USER:PASSWORD for every host. */
function loginSource(text: string | undefined): CredentialSource {
  const [user, password] = text?.split(":") ?? [];
  const credential = user === undefined ? undefined : { ...userPassword(user, password!), origin: "the test" };
  return { name: "test", find: () => Promise.resolve(credential) };
}

/** A resolver and sockets by which all names and addresses are one port of this machine. */
function elsewhere(port: number): Pick<DiagnoseOptions, "lookup" | "connect" | "hostsFile"> {
  return {
    hostsFile: "/nonexistent",
    lookup: () => Promise.resolve([{ address: "192.0.2.1", family: 4 }]),
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connectTo(port, "127.0.0.1", () => resolve(socket));
        socket.once("error", reject);
      }),
  };
}

function ledTo({ host }: URL): Transport {
  const net = wire({ settingsOf: settingsByHost({ "*": { insecure: true } }) });
  onTestFinished(() => net.close());
  return async (request) => {
    const url = new URL(`https://${host}${request.url.pathname}${request.url.search}`);
    try {
      return await net({ ...request, url, headers: { ...request.headers, host: request.url.host } });
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      const { code, message, retryable, cause } = error;
      const named = { host: request.url.host, retryable, cause };
      throw new RegistryError(code, message.replaceAll(host, request.url.host), named);
    }
  };
}

/** What was told of one check. */
export function of(told: readonly Diagnosis[], check: CheckName): readonly Diagnosis[] {
  return told.filter((one) => one.check === check);
}

/** What is at fault, or worth a warning. */
export function wrongIn(told: readonly Diagnosis[]): readonly Diagnosis[] {
  return told.filter(({ verdict }) => verdict === "fault" || verdict === "warning");
}
