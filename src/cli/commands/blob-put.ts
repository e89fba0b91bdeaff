import { RegistryError } from "../../index.ts";
import type { Run } from "../command.ts";
import { digestFile, withSpooled, type DigestedFile } from "../files.ts";

export const run: Run<[repository: string, file: string]> = async (
  [repository, path],
  { client, out, signal, stdin },
) => {
  const { store, ref, name } = (await client({ from: [repository] })).open(repository);
  if (ref !== undefined)
    throw new RegistryError("INVALID", `${name} is more than a repository`, {
      hint: `leave ${JSON.stringify(ref)} out`,
    });
  const put = async ({ content, ...blob }: DigestedFile): Promise<void> => {
    const how = await store.putBlob(blob, content, { signal });
    await store.flush({ signal });
    await out.print({ repository: store.name, ...blob, how }, ({ digest }) => `${digest}\n`);
  };
  await (path === "-" ? withSpooled(stdin(), signal, put) : put(await digestFile(path, signal)));
};
