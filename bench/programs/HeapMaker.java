// Heaps of the JVM with known holders, written as `.hprof` by the JVM itself.
//
//   javac -d OUT bench/programs/HeapMaker.java
//   java -cp OUT com.example.HeapMaker leaks FILE.hprof           a small service with seven leaks
//   java -cp OUT com.example.HeapMaker growing FILE-%.hprof [N]   three dumps of one leak (% is 1, 2, 3), N tickets a step
//   java -cp OUT com.example.HeapMaker size FILE.hprof OBJECTS    about that many objects: 6000000 gives 380 MB,
//                                                                 29000000 gives 1.9 GB (needs -Xmx)
//   java -cp OUT com.example.HeapMaker wait                       the small service, until standard input ends
package com.example;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

class Ticket {
  final long id;
  final String note;
  final int[] lines = new int[4];
  boolean open = true;

  Ticket(long id) {
    this.id = id;
    this.note = "note of ticket " + id;
  }
}

class OrderBook {
  static final Map<String, Ticket> OPEN = new ConcurrentHashMap<>();

  static void open(long id) {
    OPEN.put("ticket-" + id, new Ticket(id));
  }
}

/** A constant catalogue, which is larger than any leak and no leak. */
class Catalogue {
  static final Product[] PRODUCTS = new Product[30_000];

  static void load() {
    for (int i = 0; i < PRODUCTS.length; i++) PRODUCTS[i] = new Product(i);
  }
}

class Product {
  final int sku;
  final String title;
  final double[] prices = new double[6];

  Product(int sku) {
    this.sku = sku;
    this.title = "product number " + sku;
  }
}

class Session {
  final long user;
  final byte[] basket = new byte[200];

  Session(long user) {
    this.user = user;
  }
}

/** Six workers, each with a thread-local list that nobody clears. */
class Workers {
  static final ThreadLocal<List<Session>> SEEN = ThreadLocal.withInitial(ArrayList::new);

  static void start() throws InterruptedException {
    CountDownLatch ready = new CountDownLatch(6);
    for (int worker = 0; worker < 6; worker++) {
      int number = worker;
      Thread thread = new Thread(() -> work(number, ready), "worker-" + worker);
      thread.setDaemon(true);
      thread.start();
    }
    ready.await();
  }

  private static void work(int worker, CountDownLatch ready) {
    for (int i = 0; i < 800; i++) SEEN.get().add(new Session(worker * 1_000L + i));
    byte[][] local = new byte[100][1_000];
    ready.countDown();
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException stopped) {
      System.err.println(local.length);
    }
  }
}

interface Listener {
  void heard(String what);
}

class EventBus {
  static final EventBus SHARED = new EventBus();
  final List<Listener> listeners = new ArrayList<>();
}

class Page {
  final byte[] pixels = new byte[300];

  void register() {
    EventBus.SHARED.listeners.add(what -> pixels[0]++);
  }
}

/** What a plug-in keeps in a static: every copy of its class loader has its own. */
class Plugin {
  static final byte[][] CACHE = new byte[50][1_000];
}

class Step {
  final Step previous;
  final long[] state = new long[3];

  Step(Step previous) {
    this.previous = previous;
  }
}

class Log {
  static final LinkedList<String> LINES = new LinkedList<>();
  static Step last;
}

class Buffers {
  static final List<WeakReference<Session>> DEAD = new ArrayList<>();
  static final Map<Session, Ticket> BY_SESSION = new WeakHashMap<>();
  static final Map<Integer, SoftReference<byte[]>> SOFT = new HashMap<>();
  static final ReferenceQueue<Session> QUEUE = new ReferenceQueue<>();
}

/** A field of each width under a subclass of another: what layout rules differ about. */
class Narrow {
  byte flag;
  long count;
}

class Wider extends Narrow {
  short port;
  Object owner;
  boolean ready;
}

class Widest extends Wider {
  double rate;
  char letter;
  float share;
  int[] many;
}

class Order {
  final long id;
  final Session customer;
  final long created = System.nanoTime();
  final long changed = created;
  final double total = 99.9;
  final double tax = 19.9;
  final int state = 3;
  final Order previous;
  final OrderLine[] lines;
  final String note;
  Object seen;

  Order(long id, Order previous) {
    this.id = id;
    this.customer = Archive.CUSTOMERS[(int) (id % Archive.CUSTOMERS.length)];
    this.previous = previous;
    this.lines = new OrderLine[] {new OrderLine(this, id), new OrderLine(this, id + 1)};
    this.note = "to be delivered at the back door, please, and not before ten: order " + id;
  }
}

class OrderLine {
  final Order order;
  final Product product;
  final Double price;
  final long warehouse = 7;
  final double discount = 0.1;
  final double weight = 1.5;
  final int quantity = 2;
  final int position = 1;

  OrderLine(Order order, long id) {
    this.order = order;
    this.product = Catalogue.PRODUCTS[(int) (id % 1_000)];
    this.price = id * 1.01;
  }
}

class Archive {
  static final Session[] CUSTOMERS = new Session[5_000];
  static final Map<Long, Order> BY_ID = new HashMap<>();
  static final List<Order> RECENT = new ArrayList<>();
}

public class HeapMaker {
  static final List<Object> KEPT = new ArrayList<>();

  public static void main(String[] arguments) throws Exception {
    switch (arguments[0]) {
      case "leaks" -> {
        leaks();
        dump(arguments[1]);
      }
      case "growing" -> {
        leaks();
        int step = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 8_000;
        for (int turn = 1; turn <= 3; turn++) {
          for (int i = 0; i < step; i++) OrderBook.open(turn * 10_000_000L + i);
          for (int i = 0; i < step / 10; i++) new Page().register();
          dump(arguments[1].replace("%", String.valueOf(turn)));
        }
      }
      case "size" -> {
        fill(Long.parseLong(arguments[2]));
        dump(arguments[1]);
      }
      case "wait" -> {
        leaks();
        System.out.println("ready");
        while (System.in.read() >= 0) {}
      }
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    System.exit(0);
  }

  static void leaks() throws Exception {
    Catalogue.load();
    for (int i = 0; i < 20_000; i++) OrderBook.open(i);
    Workers.start();
    for (int i = 0; i < 5_000; i++) new Page().register();
    URL here = new File(System.getProperty("java.class.path")).toURI().toURL();
    for (int i = 0; i < 50; i++) {
      ClassLoader loader = new URLClassLoader("plugins", new URL[] {here}, ClassLoader.getPlatformClassLoader());
      KEPT.add(Class.forName("com.example.Plugin", true, loader));
    }
    for (int i = 0; i < 10_000; i++) Log.LINES.add("line " + i % 100);
    for (int i = 0; i < 20_000; i++) Log.last = new Step(Log.last);
    for (int i = 0; i < 3_000; i++) {
      Session session = new Session(i);
      if (i % 3 == 0) KEPT.add(session);
      Buffers.DEAD.add(new WeakReference<>(session, Buffers.QUEUE));
      Buffers.BY_SESSION.put(session, new Ticket(i));
      Buffers.SOFT.put(i, new SoftReference<>(new byte[100]));
    }
    for (int i = 0; i < 1_000; i++) {
      KEPT.add(new Narrow());
      KEPT.add(new Wider());
      KEPT.add(new Widest());
    }
  }

  static void fill(long objects) {
    Catalogue.load();
    for (int i = 0; i < Archive.CUSTOMERS.length; i++) Archive.CUSTOMERS[i] = new Session(i);
    // 9.275 objects an order, counted in a dump.
    long orders = objects * 1000 / 9275;
    Order previous = null;
    for (long id = 0; id < orders; id++) {
      previous = new Order(id, id % 100 == 0 ? null : previous);
      if (id % 2 == 0) Archive.BY_ID.put(id, previous);
      else Archive.RECENT.add(previous);
      if (id % 8 == 0) previous.seen = new ArrayList<>(List.of(previous, previous.note));
    }
  }

  static void dump(String path) throws Exception {
    new File(path).delete();
    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(path, true);
  }
}
