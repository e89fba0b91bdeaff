import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { must, run } from "./run.ts";

/** A certificate and its key, as files and as PEM. */
export interface Certified {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority of one's own, made with openssl in a directory. */
export interface Authority extends Certified {
  /** Issues a certificate for names such as `IP:127.0.0.1` and `DNS:localhost`; expired ones are valid for -1 days. */
  issue(name: string, forNames: readonly string[], days?: number): Promise<Certified>;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes an authority; what it issues lies beside it. */
export async function makeAuthority(dir: string, name = "authority"): Promise<Authority> {
  const openssl = (...args: readonly string[]): Promise<string> => must(run("openssl", args, { cwd: dir }));
  const load = async (of: string): Promise<Certified> => {
    const [certFile, keyFile] = [join(dir, `${of}.pem`), join(dir, `${of}.key`)];
    return { certFile, keyFile, cert: await readFile(certFile, "utf8"), key: await readFile(keyFile, "utf8") };
  };
  await openssl("req", "-x509", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`);
  const own = await load(name);
  return {
    ...own,
    async issue(of, forNames, days = 30) {
      await openssl("req", ...newKey, "-keyout", `${of}.key`, "-out", `${of}.csr`, "-subj", `/CN=${of}`);
      await writeFile(join(dir, `${of}.ext`), `subjectAltName=${forNames.join(",")}\n`);
      const signing = ["-CA", own.certFile, "-CAkey", own.keyFile, "-CAcreateserial", "-days", `${days}`];
      await openssl("x509", "-req", "-in", `${of}.csr`, ...signing, "-extfile", `${of}.ext`, "-out", `${of}.pem`);
      return load(of);
    },
  };
}
