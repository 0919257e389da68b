// Holds 20,000 tickets in one map.
class Ticket {
  constructor(number) { this.number = number; this.text = `ticket ${number}`.repeat(20); }
}
const open = new Map();
globalThis.desk = { open };
function fileTicket(number) { open.set(number, new Ticket(number)); }
for (let number = 0; number < 20000; number++) fileTicket(number);
console.log("ready");
setInterval(() => {}, 1000);
