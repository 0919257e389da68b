import java.util.concurrent.ConcurrentHashMap;

/** Holds 20,000 tickets in one static map, or as many as it is told; with a negative number, until memory ends. */
public class Hold {
    static final ConcurrentHashMap<Integer, Ticket> OPEN = new ConcurrentHashMap<>();

    static class Ticket {
        final int number;
        final byte[] text = new byte[400];

        Ticket(int number) { this.number = number; }
    }

    public static void main(String[] arguments) throws Exception {
        int many = arguments.length == 0 ? 20000 : Integer.parseInt(arguments[0]);
        for (int number = 0; number != many; number++) OPEN.put(number, new Ticket(number));
        System.out.println("ready");
        Thread.sleep(Long.MAX_VALUE);
    }
}
