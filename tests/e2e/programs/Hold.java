import java.util.concurrent.ConcurrentHashMap;

/** Holds 20,000 tickets in one static map. */
public class Hold {
    static final ConcurrentHashMap<Integer, Ticket> OPEN = new ConcurrentHashMap<>();

    static class Ticket {
        final int number;
        final byte[] text = new byte[400];

        Ticket(int number) { this.number = number; }
    }

    public static void main(String[] arguments) throws Exception {
        for (int number = 0; number < 20000; number++) OPEN.put(number, new Ticket(number));
        System.out.println("ready");
        Thread.sleep(Long.MAX_VALUE);
    }
}
