import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.openxml4j.opc.PackageAccess;
import org.apache.poi.poifs.crypt.HashAlgorithm;
import org.apache.poi.poifs.crypt.dsig.SignatureConfig;
import org.apache.poi.poifs.crypt.dsig.SignatureInfo;
import org.apache.poi.xssf.usermodel.XSSFWorkbook;
import org.apache.poi.xwpf.usermodel.XWPFDocument;

/** Makes, signs and judges Office documents with Apache POI, as Word and Excel do. */
final class Office {
    private Office() {}

    /** Writes a document of one line, .docx or .xlsx by its name. */
    static String make(File f) throws Exception {
        try (OutputStream out = new FileOutputStream(f)) {
            if (f.getName().endsWith(".xlsx")) {
                try (XSSFWorkbook w = new XSSFWorkbook()) {
                    w.createSheet("1").createRow(0).createCell(0).setCellValue(100);
                    w.write(out);
                }
            } else {
                try (XWPFDocument d = new XWPFDocument()) {
                    d.createParagraph().createRun().setText("amount 100");
                    d.createFooter(org.apache.poi.wp.usermodel.HeaderFooterType.DEFAULT).createParagraph().createRun().setText("page");
                    d.write(out);
                }
            }
        }
        return "made";
    }

    static String sign(File key, char[] password, String digest, File in, File out) throws Exception {
        KeyStore ks = KeyStore.getInstance("PKCS12");
        try (FileInputStream f = new FileInputStream(key)) {
            ks.load(f, password);
        }
        String alias = ks.aliases().nextElement();
        Files.copy(in.toPath(), out.toPath(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        SignatureConfig c = new SignatureConfig();
        c.setKey((PrivateKey) ks.getKey(alias, password));
        c.setSigningCertificateChain(List.of((X509Certificate) ks.getCertificate(alias)));
        c.setDigestAlgo(HashAlgorithm.valueOf(digest.toLowerCase()));
        c.setAllowMultipleSignatures(true);
        try (OPCPackage p = OPCPackage.open(out, PackageAccess.READ_WRITE)) {
            SignatureInfo i = new SignatureInfo();
            i.setOpcPackage(p);
            i.setSignatureConfig(c);
            i.confirmSignature();
        }
        return "signed";
    }

    static String judge(File f) throws Exception {
        try (OPCPackage p = OPCPackage.open(f, PackageAccess.READ)) {
            SignatureInfo i = new SignatureInfo();
            i.setOpcPackage(p);
            i.setSignatureConfig(new SignatureConfig());
            return i.verifySignature() ? "valid" : "invalid";
        }
    }
}
