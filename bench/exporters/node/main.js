// Serves prom-client's default metrics for recording, with something on the heap and collections behind it.
const http = require("node:http");
const { collectDefaultMetrics, register } = require("prom-client");

collectDefaultMetrics();
const held = [];
for (let i = 0; i < 2e5; i++) held.push({ ticket: `ticket ${i}` });
// Garbage for the collector, and a megabyte that stays.
setInterval(() => (held[0] = [Buffer.alloc(1 << 20), new Array(1e5).fill(0)]), 20).unref();
http
  .createServer(async (_, answer) => answer.end(await register.metrics()))
  .listen(Number(process.argv[2]), "127.0.0.1");
