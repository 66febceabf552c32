import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.model.SerializableTimestampParameters;
import eu.europa.esig.dss.signature.AbstractSignatureParameters;
import eu.europa.esig.dss.signature.AbstractSignatureService;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.CRLSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.CRLToken;
import eu.europa.esig.dss.spi.x509.revocation.RevocationToken;
import eu.europa.esig.dss.model.x509.revocation.crl.CRL;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.xades.XAdESSignatureParameters;
import eu.europa.esig.dss.xades.signature.XAdESService;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.security.KeyStore;
import java.util.List;

/**
 * Signs and judges files as the lines of its input say, in one process:
 *
 * <pre>
 * sign LEVEL PACKAGING DIGEST KEY IN OUT   (LEVEL as in SignatureLevel, KEY a PKCS#12 file)
 * judge FILE
 * office-make OUT                          (.docx or .xlsx)
 * office-sign KEY DIGEST IN OUT
 * office-judge FILE
 * </pre>
 *
 * The answer is one line: "signed", or how many signatures and what DSS says of
 * each; "error" and why. The argument is a folder with ca.pem, tsa.p12, ca.crl.
 */
public final class Dss {
    private static final char[] PASSWORD = "test".toCharArray();
    private final File home;

    private Dss(File home) {
        this.home = home;
    }

    public static void main(String[] args) throws Exception {
        Dss dss = new Dss(new File(args[0]));
        PrintStream out = System.out;
        System.setOut(System.err); // libraries log where they like
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String answer;
            try {
                String[] w = line.split("\t");
                answer = switch (w[0]) {
                    case "sign" -> dss.sign(w);
                    case "judge" -> dss.judge(new File(w[1]));
                    case "office-make" -> Office.make(new File(w[1]));
                    case "office-sign" -> Office.sign(new File(w[1]), PASSWORD, w[2], new File(w[3]), new File(w[4]));
                    case "office-judge" -> Office.judge(new File(w[1]));
                    default -> "error verb";
                };
            } catch (Exception | LinkageError | StackOverflowError e) {
                answer = "error " + e.getClass().getSimpleName() + " " + e.getMessage();
            }
            out.println(answer.replace('\n', ' '));
            out.flush();
        }
    }

    private CommonCertificateVerifier verifier() {
        CommonCertificateVerifier v = new CommonCertificateVerifier();
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        anchors.addCertificate(DSSUtils.loadCertificate(new File(home, "ca.pem")));
        v.setTrustedCertSources(anchors);
        v.setAIASource(null);
        v.setCrlSource(new Lists(new File(home, "ca.crl")));
        return v;
    }

    /** Hands out the one revocation list of the test's authority as if it came from the network. */
    private static final class Lists implements CRLSource {
        private final ExternalResourcesCRLSource lists;

        Lists(File f) {
            lists = new ExternalResourcesCRLSource(new FileDocument(f));
        }

        @Override
        public CRLToken getRevocationToken(eu.europa.esig.dss.model.x509.CertificateToken c, eu.europa.esig.dss.model.x509.CertificateToken issuer) {
            for (RevocationToken<CRL> t : lists.getRevocationTokens(c, issuer)) {
                return (CRLToken) t;
            }
            return null;
        }
    }

    private KeyEntityTSPSource tsa() throws Exception {
        KeyStore ks = KeyStore.getInstance("PKCS12");
        try (java.io.FileInputStream f = new java.io.FileInputStream(new File(home, "tsa.p12"))) {
            ks.load(f, PASSWORD);
        }
        KeyEntityTSPSource s = new KeyEntityTSPSource(ks, ks.aliases().nextElement(), PASSWORD);
        s.setTsaPolicy("1.2.3.4");
        return s;
    }

    private String sign(String[] w) throws Exception {
        SignatureLevel level = SignatureLevel.valueByName(w[1]);
        DSSDocument in = new FileDocument(new File(w[5]));
        try (Pkcs12SignatureToken token = new Pkcs12SignatureToken(new File(w[4]), new KeyStore.PasswordProtection(PASSWORD))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            DSSDocument out;
            if (level.name().startsWith("XAdES")) {
                XAdESSignatureParameters p = new XAdESSignatureParameters();
                p.setEn319132(!w[2].endsWith("V1"));
                out = run(new XAdESService(verifier()), p, level, w, in, token, key);
            } else if (level.name().startsWith("CAdES")) {
                out = run(new CAdESService(verifier()), new CAdESSignatureParameters(), level, w, in, token, key);
            } else {
                out = run(new PAdESService(verifier()), new PAdESSignatureParameters(), level, w, in, token, key);
            }
            out.save(w[6]);
        }
        return "signed";
    }

    private <P extends AbstractSignatureParameters<?>, T extends SerializableTimestampParameters> DSSDocument run(
            AbstractSignatureService<P, T> service, P p, SignatureLevel level, String[] w, DSSDocument in,
            Pkcs12SignatureToken token, DSSPrivateKeyEntry key) throws Exception {
        service.setTspSource(tsa());
        p.setSignatureLevel(level);
        p.setSignaturePackaging(SignaturePackaging.valueOf(w[2].replace("_V1", "")));
        p.setDigestAlgorithm(DigestAlgorithm.valueOf(w[3].replace("-PSS", "")));
        p.setSigningCertificate(key.getCertificate());
        p.setCertificateChain(key.getCertificateChain());
        if (w[3].endsWith("-PSS")) {
            p.setEncryptionAlgorithm(EncryptionAlgorithm.RSASSA_PSS);
        }
        return service.signDocument(in, p, token.sign(service.getDataToSign(in, p), p.getSignatureAlgorithm(), key));
    }

    private String judge(File f) {
        SignedDocumentValidator v = SignedDocumentValidator.fromDocument(new FileDocument(f));
        v.setCertificateVerifier(verifier());
        SimpleReport r = v.validateDocument().getSimpleReport();
        List<String> ids = r.getSignatureIdList();
        StringBuilder b = new StringBuilder().append(ids.size());
        for (String id : ids) {
            b.append(' ').append(r.getIndication(id)).append(' ').append(r.getSubIndication(id));
        }
        return b.toString();
    }
}
