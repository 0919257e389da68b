// Tickets in maps, one large array, closures or strings: KIND MIB. Says `ready`; then the longest delay of its timer.
const [kind, mebibytes] = [process.argv[2], Number(process.argv[3])];
class Ticket { constructor(n) { this.id = n; this.customer = 'customer-' + n; this.lines = [{ sku: n, count: 2 }]; } }
const kept = [];
let n = 0;
let map = null;
const make = {
  tickets() { if (n % 100 === 0) kept.push((map = new Map())); map.set('key-' + n, new Ticket(n++)); },
  array() { kept.push({ n: n++ }); },
  closures() { const held = { n: n++ }; kept.push(() => held); },
  strings() { kept.push(Buffer.alloc(1000, 'text ' + n++).toString('latin1')); },
}[kind];
while (process.memoryUsage().heapUsed < mebibytes * 1048576) for (let k = 0; k < 1000; k++) make();
globalThis.kept = kept;
let longest = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
}, 2);
process.stdin.on('data', () => { console.log(longest / 1000); longest = 0; });
console.log('ready');
