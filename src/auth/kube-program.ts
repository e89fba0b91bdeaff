import type { KubeConfig } from "@kubernetes/client-node";
import type { Environment } from "./credential.ts";
import { runProgram } from "./helper-process.ts";
import { readSecretFile } from "./secret-file.ts";

/** What a kubeconfig says of the program that logs a user in. */
interface Exec {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
}

/** What such a program answers (client.authentication.k8s.io, "ExecCredentialStatus"); certificate and key in PEM. */
interface Answer {
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

/** How a program is run, and how long it may take, in milliseconds. */
export interface ProgramRun {
  readonly env: Environment;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * The program that logs the current user in, if there is one, ready to be run (Kubernetes, "client-go credential plugins"): it
 * gives the configuration what the program says, and returns until when that holds, in milliseconds of the epoch. It throws where
 * the program cannot be run, or fails. The client's own way tells a program nothing of what is wanted, and leaves one that hangs behind.
 */
export function loginProgram(config: KubeConfig): ((run: ProgramRun) => Promise<number>) | undefined {
  const user = config.getCurrentUser();
  const exec = user?.exec as Exec | undefined;
  if (!user || !exec?.command) return undefined;
  return async ({ env, timeout, signal }) => {
    const own = (exec.env ?? []).map(({ name, value }) => [name, value] as const);
    const info = JSON.stringify(await execInfo(exec, config));
    const { code, stdout } = await runProgram(exec.command, exec.args ?? [], "", {
      env: { ...env, ...Object.fromEntries(own), KUBERNETES_EXEC_INFO: info },
      timeout,
      signal,
    });
    if (code !== 0) throw new Error(`${exec.command} failed`);
    const { status = {} } = JSON.parse(stdout) as Answer;
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status;
    if (!token && !(cert && key)) throw new Error(`${exec.command} says no login`);
    const said = {
      name: user.name,
      ...(token && { token }),
      ...(cert && key && { certData: base64(cert), keyData: base64(key) }),
      ...(user.impersonateUser && { impersonateUser: user.impersonateUser }),
    };
    config.users = config.users.map((one) => (one.name === user.name ? said : one));
    return (expirationTimestamp && Date.parse(expirationTimestamp)) || Infinity;
  };
}

/** What the program is told (client.authentication.k8s.io, "ExecCredentialSpec"). */
async function execInfo({ apiVersion, provideClusterInfo }: Exec, config: KubeConfig): Promise<object> {
  const { server, caData, caFile, tlsServerName, skipTLSVerify, proxyUrl } = config.getCurrentCluster()!;
  const ca = caData ?? (caFile && base64((await readSecretFile(caFile))?.text ?? ""));
  const cluster = {
    server,
    ...(tlsServerName && { "tls-server-name": tlsServerName }),
    ...(skipTLSVerify && { "insecure-skip-tls-verify": true }),
    ...(ca && { "certificate-authority-data": ca }),
    ...(proxyUrl && { "proxy-url": proxyUrl }),
  };
  return { kind: "ExecCredential", apiVersion, spec: { interactive: false, ...(provideClusterInfo && { cluster }) } };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
