import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;

/** Scores as Java's client sends them unless it is told otherwise: each asks for an upgrade to h2c. */
public class Upgrading {
    public static void main(String[] arguments) throws Exception {
        String small = "{\"p\": [0.5, 0.5]}";
        String large = small + " ".repeat(1 << 20);
        byte[] chunked = small.getBytes();
        List<BodyPublisher> bodies =
                List.of(
                        BodyPublishers.ofString(small),
                        BodyPublishers.ofString(large),
                        BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(chunked)));
        for (BodyPublisher body : bodies) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(arguments[0]))
                            .header("Content-Type", "application/json")
                            .POST(body)
                            .build();
            HttpClient client = HttpClient.newHttpClient();  // asks anew on its first connection
            System.out.println(client.send(request, BodyHandlers.ofString()).statusCode());
        }
    }
}
