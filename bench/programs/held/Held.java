// Tickets in a map, or large arrays: KIND MIB. Says `ready`; then the longest gap of a thread that wakes all the time.
import java.io.*;
import java.util.*;

public class Held {
    record Ticket(String name, int number, Ticket before) {}

    static volatile long longest;

    static Object held(String kind, long bytes) {
        if (kind.equals("arrays")) {
            List<byte[]> all = new ArrayList<>();
            for (long i = 0; i < bytes >> 14; i++) { all.add(new byte[(1 << 14) - 16]); }
            return all;
        }
        Map<String, Ticket> all = new HashMap<>();
        Ticket last = null;
        for (int i = 0; i < bytes / 144; i++) {
            last = new Ticket("ticket " + i, i, last);
            all.put(last.name, last);
        }
        return all;
    }

    static void beat() {
        long last = System.nanoTime();
        while (true) {
            try { Thread.sleep(2); } catch (InterruptedException never) { return; }
            long now = System.nanoTime();
            longest = Math.max(longest, now - last);
            last = now;
        }
    }

    public static void main(String[] words) throws Exception {
        Object held = held(words[0], Long.parseLong(words[1]) << 20);
        Thread heart = new Thread(Held::beat);
        heart.setDaemon(true);
        heart.start();
        System.out.println("ready");
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        while (asked.readLine() != null) {
            System.out.println(longest / 1e9);
            longest = 0;
        }
        System.out.println(held.hashCode());
    }
}
