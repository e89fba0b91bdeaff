export * from "../../text/table.ts";
