// A registry in a process of its own, to be killed: serves the directory it is given and says where.
import { createRegistry } from "../../../src/server/registry.ts";
import { diskStorage } from "../../../src/server/storage/disk.ts";

const registry = createRegistry({ storage: diskStorage(process.argv[2]!) });
const { url } = await registry.listen();
process.stdout.write(`${url}\n`);
